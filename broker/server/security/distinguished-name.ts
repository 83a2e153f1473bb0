// The name on a client's certificate, as Kafka calls its owner: RFC 2253, the most special part first, `CN=alice,OU=ops,O=Example`.

import type { PeerCertificate } from 'node:tls'

/** Short names that Java writes; other attributes are left as OpenSSL calls them. */
export function distinguishedName(subject: PeerCertificate['subject']): string {
  const parts = Object.entries(subject).flatMap(([name, values]) => [values].flat().filter(value => value !== undefined).map(value => `${name}=${escaped(value)}`))
  return parts.reverse().join(',')
}

function escaped(value: string): string {
  return value.replace(/[,+"\\<>;]/g, '\\$&').replace(/^[ #]/, '\\$&').replace(/(?<=.) $/, '\\ ')
}
