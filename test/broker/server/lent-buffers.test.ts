// Memory that fetches read into is used again: what clients over TCP receive must be the log's bytes all the same.

import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { slowDisk } from '../disk/slow-disk.ts'
import { batchOf } from '../log/batches.ts'
import { readCommitted, TransactionalProducer } from './transactional-producer.ts'

/** What was handed back is made unreadable, so that whoever uses it after shows. */
beforeEach(() => {
  const lent = new WeakSet<ArrayBufferLike>()
  const { take, give } = LentBuffers.prototype as { readonly take: (this: LentBuffers, bytes: number) => Buffer; readonly give: (this: LentBuffers, buffer: Buffer) => void }
  vi.spyOn(LentBuffers.prototype, 'take').mockImplementation(function (this: LentBuffers, bytes) {
    const buffer = take.call(this, bytes)
    lent.add(buffer.buffer)
    return buffer
  })
  vi.spyOn(LentBuffers.prototype, 'give').mockImplementation(function (this: LentBuffers, buffer) {
    if (lent.delete(buffer.buffer)) new Uint8Array(buffer.buffer).fill(0xdb)
    give.call(this, buffer)
  })
  return () => vi.restoreAllMocks()
})

test('many readers at once, with answers of all sizes, receive what was written', async () => {
  const broker = await startBroker({ memory: true, listen: '127.0.0.1:0' })
  try {
    const written = await fill(broker.connect())
    const { host, port } = broker.address!
    const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { minLength: 2, maxLength: 6 }), async readers => {
        await Promise.all(readers.map(async maxBytes => {
          const channel = await connectTcpChannel({ host, port, clock: systemClock, clientId: 'test' })
          expect((await readAll(channel, maxBytes)).equals(written)).toBe(true)
          channel.close()
        }))
      }),
      { numRuns: 20 },
    )
  } finally {
    await broker.close()
  }
})

test.each(['fsync', 'os'] as const)('many producers at once, with batches of all sizes, acknowledged or not, and transactions: what they sent is what is there (%s)', async flush => {
  const slowly = { get isOpen() { return someTurns() } }
  const broker = await startBroker({ disk: slowDisk(new MemoryDisk(), () => true, slowly), listen: '127.0.0.1:0', settings: { 'millrace.flush': flush, 'add.partitions.to.txn.retry.backoff.max.ms': 60_000 } })
  const { host, port } = broker.address!
  const local = broker.connect()
  const sent: string[] = []
  const topics = [0, 1, 2].map(index => ({ name: `t${index}`, numPartitions: 2, replicationFactor: -1, assignments: [], configs: index === 2 ? [{ name: 'compression.type', value: 'gzip' }] : [] }))
  await local.request('CreateTopics', { topics })
  await Promise.all([0, 1, 2, 3].map(async client => {
    const channel = await connectTcpChannel({ host, port, clock: systemClock, clientId: 'test' })
    const producer = new TransactionalProducer(channel, `p${client}`)
    if (client % 2 === 1) expect(await producer.init()).toBe('NONE')
    for (let turn = 0; turn < 5; turn++) {
      const values = [0, 1, 2, 3, 4, 5].map(i => `${client}.${turn}.${i}=${'x'.repeat((1 + ((client * 31 + turn * 7 + i * 13) % 17)) * 20_000)}`)
      sent.push(...values)
      if (client % 2 === 1) {
        expect(await Promise.all(values.map((value, i) => producer.send(`t${i % 3}`, [value], i % 2)))).toEqual(values.map(() => 'NONE'))
        expect(await producer.end(true)).toBe('NONE')
      } else await Promise.all(values.map((value, i) => produce(channel, `t${i % 3}`, i % 2, value, client === 0 && turn < 4 ? 0 : -1)))
    }
    // When that is answered the transaction before is over.
    if (client % 2 === 1) expect(await producer.init()).toBe('NONE')
    channel.close()
  }))
  const seen = await Promise.all(topics.flatMap(({ name }) => [0, 1].map(partition => readCommitted(local, name, partition))))
  expect(seen.flatMap(({ values }) => values).sort()).toEqual(sent.sort())
  await broker.close()
})

/** Long enough for a request to come in meanwhile. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate()
}

async function produce(channel: Channel, topic: string, partition: number, value: string, acks: number): Promise<void> {
  const records = batchOf([{ key: 'k', value, timestamp: 1000 }])
  const { responses } = await channel.request('Produce', { acks, timeoutMs: 1000, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }] }, { version: 11 })
  expect(responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode))).toEqual(acks === 0 ? [] : [0])
}

test('only what was lent is taken back', () => {
  const buffers = new LentBuffers(1 << 20)
  const lent = buffers.take(40_000)
  expect(lent.length).toBe(40_000)
  const memory = lent.buffer
  buffers.give(lent.subarray(5, 10))
  buffers.give(lent)
  expect(buffers.take(50_000).buffer).toBe(memory)
  expect(buffers.take(50_000).buffer).not.toBe(memory)
  const other = Buffer.allocUnsafeSlow(65_536)
  buffers.give(other)
  expect(buffers.take(65_536).buffer).not.toBe(other.buffer)
})

async function fill(channel: Channel): Promise<Buffer> {
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
  for (let i = 0; i < 60; i++) {
    const records = batchOf([{ key: `k${i}`, value: String.fromCharCode(97 + (i % 26)).repeat(1 + ((i * 7919) % 60_000)), timestamp: 1000 }])
    await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  }
  return await readAll(channel, [1e8])
}

/** Reads the topic to its end with answers of at most so many bytes, in turn. */
async function readAll(channel: Channel, maxBytes: readonly number[]): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let offset = 0, turn = 0; ; turn++) {
    const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: maxBytes[turn % maxBytes.length]! }]
    const answer = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, maxBytes: 1e9, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, topics: [{ topic: 't', partitions }] }, { version: 11 })
    const records = answer.responses[0]!.partitions[0]!.records!
    if (records.length === 0) return Buffer.concat(parts)
    parts.push(Buffer.from(records))
    for (let at = 0; at < records.length; at += 12 + records.readInt32BE(at + 8)) offset = Number(records.readBigInt64BE(at)) + 1 + records.readInt32BE(at + 23)
  }
}
