// Reads DER, the form of certificates and of their stores: what a value is, and what lies in it.

import { MillraceError } from '../../core/error.ts'

export interface DerValue {
  /** As in the bytes: class, whether others lie in it, number. */
  readonly tag: number
  readonly content: Buffer
  /** With tag and length. */
  readonly whole: Buffer
}

export const derTag = { integer: 0x02, octetString: 0x04, objectId: 0x06, sequence: 0x30, set: 0x31 } as const

/** The values that lie one behind the other. @throws MillraceError MALFORMED_DER */
export function derValues(bytes: Buffer): readonly DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const { start, end } = extent(bytes, at)
    values.push({ tag: bytes[at]!, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return values
}

/** What lies in a value of that tag. @throws MillraceError MALFORMED_DER */
export function derInside(value: DerValue | undefined, tag: number): readonly DerValue[] {
  return derValues(derContent(value, tag))
}

/** @throws MillraceError MALFORMED_DER if it is of another tag, or not there */
export function derContent(value: DerValue | undefined, tag: number): Buffer {
  if (value?.tag !== tag) throw malformed()
  return value.content
}

/** @throws MillraceError MALFORMED_DER */
export function derNumber(value: DerValue | undefined): number {
  const content = derContent(value, derTag.integer)
  if (content.length === 0 || content.length > 6) throw malformed()
  return content.readIntBE(0, content.length)
}

/** As `1.2.840`. @throws MillraceError MALFORMED_DER */
export function derObjectId(value: DerValue | undefined): string {
  const numbers: number[] = []
  let number = 0
  for (const byte of derContent(value, derTag.objectId)) {
    number = number * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    numbers.push(...(numbers.length > 0 ? [number] : number < 80 ? [Math.floor(number / 40), number % 40] : [2, number - 80]))
    number = 0
  }
  return numbers.join('.')
}

/** Lengths of one byte, or of as many as the first says; there are others in BER, which nobody has to write. */
function extent(bytes: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = bytes[at + 1]
  const width = first === undefined || first < 0x80 ? 0 : first & 0x7f
  if (first === undefined || (bytes[at]! & 0x1f) === 0x1f || first === 0x80 || width > 4 || at + 2 + width > bytes.length) throw malformed()
  const start = at + 2 + width
  const end = start + (width === 0 ? first : bytes.readUIntBE(at + 2, width))
  if (end > bytes.length) throw malformed()
  return { start, end }
}

function malformed(): MillraceError {
  return new MillraceError('MALFORMED_DER', 'The bytes are not the DER that they should be.')
}
