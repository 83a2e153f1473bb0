// CRC-32C (Castagnoli), which guards every record batch: slicing by eight, or a native library for long ranges where it is installed.

import { createRequire } from 'node:module'

/** CRC-32C of `bytes[start, end)`, unsigned. `seed` is the CRC of what comes before, so that pieces can be summed one after the other. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, seed = 0): number {
  if (end - start >= nativeFromBytes) {
    native ??= loadNative()
    if (native !== 'absent') return native(bytes.subarray(start, end), seed)
  }
  return crc32cPortable(bytes, start, end, seed)
}

/** The same without the native library. */
export function crc32cPortable(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let crc = ~seed
  let i = start
  for (const last = end - 7; i < last; i += 8) {
    const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
    crc =
      tables[0x700 | (low & 255)]! ^ tables[0x600 | ((low >>> 8) & 255)]! ^ tables[0x500 | ((low >>> 16) & 255)]! ^ tables[0x400 | (low >>> 24)]! ^
      tables[0x300 | bytes[i + 4]!]! ^ tables[0x200 | bytes[i + 5]!]! ^ tables[0x100 | bytes[i + 6]!]! ^ tables[bytes[i + 7]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[i]!) & 255]!
  return ~crc >>> 0
}

type Crc32c = (bytes: Uint8Array, seed: number) => number

/** Below this length the call into native code costs more than it saves. */
const nativeFromBytes = 256
let native: Crc32c | 'absent' | undefined

function loadNative(): Crc32c | 'absent' {
  try {
    return (createRequire(import.meta.url)('@node-rs/crc32') as { readonly crc32c: Crc32c }).crc32c
  } catch {
    // An optional dependency: a platform without a binary has none, and the portable code answers the same.
    return 'absent'
  }
}

/** Eight tables of 256 in a row; table n holds the CRC of a byte followed by n zero bytes. */
const tables: Int32Array = makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
    made[byte] = crc
  }
  for (let i = 256; i < made.length; i++) made[i] = (made[i - 256]! >>> 8) ^ made[made[i - 256]! & 255]!
  return made
}
