// Our bytes are Java's: serdes, windowed keys, changes, offset metadata and the partitioner against vectors that Apache Kafka made.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { murmur2, partitionOf } from '../../core/murmur2.ts'
import { serdes, type Serde } from '../../core/serde.ts'
import { tumbling } from '../../core/window.ts'
import { decodeChange, encodeChange } from '../../runtime/operators/change-bytes.ts'
import { decodePartitionTime, encodePartitionTime } from '../../runtime/task/partition-time-metadata.ts'

interface Vector {
  readonly what: string
  readonly input: unknown
  readonly hex?: string | null
  readonly result?: unknown
  readonly partitions?: readonly number[]
}

const vectors = JSON.parse(gunzipSync(readFileSync(new URL('cases/bytes.json.gz', import.meta.url))).toString('utf8')) as readonly Vector[]

function of(what: string): readonly Vector[] {
  const found = vectors.filter(vector => vector.what.startsWith(what) && vector.input !== null)
  expect(found.length).toBeGreaterThan(0)
  return found
}

function both<T>(serde: Serde<T>, value: T, hex: string): void {
  expect(Buffer.from(serde.serialize(value)).toString('hex')).toBe(hex)
  const bytes = Buffer.from(`ff${hex}ff`, 'hex')
  expect(serde.deserialize(bytes, 1, bytes.length - 1)).toEqual(value)
}

const serdeVectors: readonly (readonly [string, (input: unknown, hex: string) => void])[] = [
  ['string', (input, hex) => both(serdes.string, input as string, hex)],
  ['int32', (input, hex) => both(serdes.int32, input as number, hex)],
  ['int64', (input, hex) => {
    both(serdes.bigint64, BigInt(input as string), hex)
    if (Number.isSafeInteger(Number(input))) both(serdes.int64, Number(input), hex)
  }],
  ['float64', (input, hex) => both(serdes.float64, Number(input), hex)],
  ['boolean', (input, hex) => both(serdes.boolean, input as boolean, hex)],
  ['uuid', (input, hex) => both(serdes.uuid, input as string, hex)],
  ['byte array', (input, hex) => both<Uint8Array>(serdes.bytes, Buffer.from(input as string, 'hex'), hex)],
  ['time-windowed key on a topic', (input, hex) => {
    const { key, start, end } = input as { key: string; start: number; end: number }
    both(serdes.windowed(serdes.string, tumbling(end - start)), { key, window: { start, end } }, hex)
  }],
]

test.each(serdeVectors)('%s', (what, check) => {
  for (const { input, hex } of of(what)) check(input, hex!)
})

test('changes on repartition topics', () => {
  const serde = serdes.string as Serde<unknown>
  for (const { input, hex } of of("change on a table's repartition topic")) {
    const { new: newValue, old: oldValue } = input as { new: string | null; old: string | null }
    const bytes = encodeChange(serde, newValue, oldValue)
    expect(Buffer.from(bytes).toString('hex')).toBe(hex)
    const into = { newValue: undefined as unknown, oldValue: undefined as unknown }
    decodeChange(serde, Buffer.from(bytes), 0, bytes.length, into)
    expect(into).toEqual({ newValue, oldValue })
  }
})

test('metadata of committed offsets', () => {
  for (const { input, result } of of('metadata of a committed offset')) {
    const { partitionTime, stores } = input as { partitionTime: number; stores: Readonly<Record<string, number>> }
    expect(decodePartitionTime(result as string)).toBe(partitionTime)
    if (Object.keys(stores).length === 0) expect(encodePartitionTime(partitionTime)).toBe(result)
  }
})

test('the partition of a key', () => {
  for (const { input, result, partitions } of of('murmur2')) {
    const key = Buffer.from(input as string, 'hex')
    expect(murmur2(key)).toBe(result)
    expect(partitions!.map((_, index) => partitionOf(key, index + 1))).toEqual(partitions)
  }
})
