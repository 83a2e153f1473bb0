// The oracle's default serde: strings as plain UTF-8, int64 and windowed keys behind a marking byte.

import { MillraceError } from '../../core/error.ts'
import { readInt64, serdes, writeInt64, type Serde } from '../../core/serde.ts'
import type { Windowed } from '../../core/window.ts'

const INT64 = 0xff
const WINDOWED = 0xfe
/** What an unlimited window ends with in Java; not a safe integer, so it stands for itself. */
export const UNLIMITED_END: number = 2 ** 63

export const anySerde: Serde<unknown> = {
  name: 'any',
  scalar: false,
  serialize(value) {
    if (typeof value === 'string') return serdes.string.serialize(value)
    if (typeof value === 'number') return int64Bytes(value)
    if (isWindowed(value)) return windowedBytes(value)
    throw new MillraceError('SERDE', `The oracle knows no ${typeof value}.`)
  },
  deserialize(buffer, start, end) {
    if (end > start && buffer[start] === INT64) return readInt64(buffer, start + 1)
    if (end > start && buffer[start] === WINDOWED) {
      const key = anySerde.deserialize(buffer, start + 17, end)
      return { key, window: { start: readInt64(buffer, start + 1), end: readInt64(buffer, start + 9) } }
    }
    return serdes.string.deserialize(buffer, start, end)
  },
}

export function isWindowed(value: unknown): value is Windowed<unknown> {
  return typeof value === 'object' && value !== null && 'window' in value
}

function int64Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = INT64
  writeInt64(bytes, value, 1)
  return bytes
}

function windowedBytes(value: Windowed<unknown>): Buffer {
  const head = Buffer.alloc(17)
  head[0] = WINDOWED
  writeInt64(head, value.window.start, 1)
  writeInt64(head, value.window.end, 9)
  return Buffer.concat([head, anySerde.serialize(value.key)])
}
