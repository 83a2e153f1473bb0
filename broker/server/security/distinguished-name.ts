// The name on a client's certificate, as Kafka calls its owner, which is as Java writes it: RFC 2253, the most special part first, `CN=alice,OU=ops,O=Example`.

import { derInside, derObjectId, derTag, derValues, type DerValue } from '../../wire/der.ts'

/** Those that Java calls by a name; others are numbers, and their values bytes. */
const names: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'], ['2.5.4.6', 'C'], ['2.5.4.7', 'L'], ['2.5.4.8', 'ST'], ['2.5.4.9', 'STREET'], ['2.5.4.10', 'O'], ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'], ['0.9.2342.19200300.100.1.25', 'DC'],
])

/** `certificate`: its bytes, as they are in the handshake. @throws MillraceError MALFORMED_DER */
export function distinguishedName(certificate: Buffer): string {
  const [signed] = derInside(derValues(certificate)[0], derTag.sequence)
  const fields = derInside(signed, derTag.sequence)
  // The version may be left out; before the name are number, algorithm, issuer and time.
  const subject = fields[fields[0]!.tag === 0xa0 ? 5 : 4]
  return derInside(subject, derTag.sequence).map(part => derInside(part, derTag.set).map(attributeText).join('+')).reverse().join(',')
}

function attributeText(attribute: DerValue): string {
  const [kind, value] = derInside(attribute, derTag.sequence)
  const id = derObjectId(kind)
  const text = names.has(id) ? textOf(value!) : null
  return text === null ? `${names.get(id) ?? id}=#${value!.whole.toString('hex')}` : `${names.get(id)!}=${escaped(text)}`
}

/** By the kinds of strings that ASN.1 has; null if it is none. */
function textOf({ tag, content }: DerValue): string | null {
  if (tag === 0x1e) return Buffer.from(content).swap16().toString('utf16le')
  if (tag === 0x0c) return content.toString('utf8')
  return tag === 0x13 || tag === 0x14 || tag === 0x16 || tag === 0x1b ? content.toString('latin1') : null
}

function escaped(value: string): string {
  return value.replace(/[,=+<>#;"\\]/g, '\\$&').replaceAll('\0', '\\00').replace(/^ +| +$/g, spaces => spaces.replaceAll(' ', '\\ '))
}
