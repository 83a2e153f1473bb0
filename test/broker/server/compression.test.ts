// compression.type of a topic: batches lie on the disk as it says, whatever the producer does, and read the same.

import { afterEach, expect, test } from 'vitest'
import { compressionNames } from '../../../broker/wire/compression.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import { batchOf, recordsOf } from '../log/batches.ts'

const open: Broker[] = []
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

const values = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: 'the same again and again '.repeat(i), timestamp: 1000 + i }))
const settings = ['producer', 'uncompressed', ...compressionNames.slice(1)]

async function stored(setting: string, compression: (typeof compressionNames)[number], more: Record<string, string> = {}): Promise<{ readonly error: string; readonly sent: string; readonly records: Buffer }> {
  const broker = await startBroker({ memory: true })
  open.push(broker)
  const channel = broker.connect()
  const configs = Object.entries({ 'compression.type': setting, ...more }).map(([name, value]) => ({ name, value }))
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs }] })
  const records = batchOf(values, { codec: compressionNames.indexOf(compression), producerId: 7, producerEpoch: 1, baseSequence: 0 })
  const produced = await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }] }] }, { version: 11 })
  return { sent: compressionNames[new RecordBatchHeader(records).codec]!, error: errorNameOf(produced.responses[0]!.partitionResponses[0]!.errorCode), records: responses[0]!.partitions[0]!.records! }
}

test.each(settings.flatMap(setting => compressionNames.map(codec => [setting, codec] as const)))('of a topic with %s, from a producer with %s', async (setting, codec) => {
  const { error, sent, records } = await stored(setting, codec)
  // Our own writer leaves a batch as it is where that is smaller: with zstd on Nodes that have none.
  const wanted = setting === 'producer' ? sent : setting === 'uncompressed' ? 'none' : setting
  expect(error).toBe('NONE')
  const header = new RecordBatchHeader(records)
  expect(header.problem(records.length)).toBeNull()
  expect([compressionNames[header.codec], header.producerId, header.baseSequence, header.count, header.maxTimestamp]).toEqual([wanted, 7, 0, 20, 1019])
  expect(recordsOf(records).map(({ offset: _, ...record }) => record)).toEqual(values)
})

test('what is too large only when it is not compressed any more is refused', async () => {
  expect((await stored('producer', 'gzip', { 'max.message.bytes': '1000' })).error).toBe('NONE')
  expect((await stored('uncompressed', 'gzip', { 'max.message.bytes': '1000' })).error).toBe('MESSAGE_TOO_LARGE')
})
