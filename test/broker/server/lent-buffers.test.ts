// Memory that fetches read into is used again: what clients over TCP receive must be the log's bytes all the same.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { batchOf } from '../log/batches.ts'

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
