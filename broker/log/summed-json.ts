// A small file of JSON that tells whether it is whole: its CRC-32C in the first line.

import { crc32c } from '../wire/crc32c.ts'

export function encodeSummed(value: unknown): Buffer {
  const body = JSON.stringify(value)
  return Buffer.from(`${checksum(body)}\n${body}\n`)
}

/** Null if it is not what was written. */
export function decodeSummed(content: Buffer): unknown {
  const text = content.toString('utf8')
  const body = text.slice(9, -1)
  return text.slice(0, 9) === `${checksum(body)}\n` ? JSON.parse(body) : null
}

function checksum(body: string): string {
  return crc32c(Buffer.from(body)).toString(16).padStart(8, '0')
}
