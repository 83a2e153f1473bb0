// The bytes of a change on the repartition topic of a grouped table, as Kafka Streams writes them: old row, new row, or both, and a flag.

import { MillraceError } from '../../core/error.ts'
import type { Serde } from '../../core/serde.ts'

const OLD_ONLY = 0
const NEW_ONLY = 1
const BOTH = 2
/** Flags 3, 4 and 5 mean the same with one more byte before the flag, which only readers know. */
const WITH_LATEST_BYTE = 3

/** One of the values at least is not null. */
export function encodeChange(serde: Serde<unknown>, newValue: unknown, oldValue: unknown): Uint8Array {
  if (newValue === null) return flagged([serde.serialize(oldValue)], OLD_ONLY)
  const newBytes = serde.serialize(newValue)
  if (oldValue === null) return flagged([newBytes], NEW_ONLY)
  return flagged([zigZagVarint(newBytes.length), newBytes, serde.serialize(oldValue)], BOTH)
}

export interface DecodedChange {
  newValue: unknown
  oldValue: unknown
}

/** Fills `into`. @throws MillraceError SERDE */
export function decodeChange(serde: Serde<unknown>, buffer: Buffer, start: number, end: number, into: DecodedChange): void {
  if (end <= start) throw new MillraceError('SERDE', 'A change has one byte at least; this has none.')
  const flag = buffer[end - 1]!
  const valuesEnd = flag >= WITH_LATEST_BYTE ? end - 2 : end - 1
  const kind = flag % WITH_LATEST_BYTE
  if (flag > 5 || valuesEnd < start) throw new MillraceError('SERDE', `These bytes are no change: their last byte is ${flag}.`)
  into.newValue = kind === NEW_ONLY ? serde.deserialize(buffer, start, valuesEnd) : null
  into.oldValue = kind === OLD_ONLY ? serde.deserialize(buffer, start, valuesEnd) : null
  if (kind === BOTH) decodeBoth(serde, buffer, start, valuesEnd, into)
}

function decodeBoth(serde: Serde<unknown>, buffer: Buffer, start: number, end: number, into: DecodedChange): void {
  let at = start
  let raw = 0
  for (let shift = 0; ; shift += 7) {
    const byte = buffer[at++]!
    raw |= (byte & 0x7f) << shift
    if (byte < 0x80) break
    if (shift > 21 || at >= end) throw new MillraceError('SERDE', 'These bytes are no change: the length of the new value is broken.')
  }
  const newEnd = at + ((raw >>> 1) ^ -(raw & 1))
  if (newEnd < at || newEnd > end) throw new MillraceError('SERDE', `These bytes are no change: the new value would end at ${newEnd - start} of ${end - start}.`)
  into.newValue = serde.deserialize(buffer, at, newEnd)
  into.oldValue = serde.deserialize(buffer, newEnd, end)
}

function zigZagVarint(length: number): Uint8Array {
  const bytes = []
  let rest = length * 2
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

function flagged(parts: readonly Uint8Array[], flag: number): Uint8Array {
  return Buffer.concat([...parts, Uint8Array.of(flag)])
}
