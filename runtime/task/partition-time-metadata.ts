// The partition time as Kafka Streams commits it beside an offset: base64 of a version byte and an int64.

import { readInt64, writeInt64 } from '../../core/serde.ts'
import type { Timestamp } from '../../core/record.ts'

const VERSION = 2
const LENGTH = 9

export function encodePartitionTime(time: Timestamp): string {
  const bytes = Buffer.allocUnsafe(LENGTH)
  bytes[0] = VERSION
  writeInt64(bytes, time, 1)
  return bytes.toString('base64')
}

/** -1 for metadata that is empty or says something else. */
export function decodePartitionTime(metadata: string): Timestamp {
  const bytes = Buffer.from(metadata, 'base64')
  if (bytes.length < LENGTH || (bytes[0] !== 1 && bytes[0] !== VERSION)) return -1
  const time = readInt64(bytes, 1)
  return Number.isSafeInteger(time) && time >= 0 ? time : -1
}
