// What a broker says of itself agrees with what was asked of it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { prometheusText } from '../../../core/metrics/prometheus-text.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { labelKey, parseExposition } from '../../core/exposition.ts'
import { batchOf } from '../log/batches.ts'
import { TransactionalProducer } from './transactional-producer.ts'

/** The value of a metric with exactly these labels; undefined if it is not there. */
function reader(text: string, openMetrics = false): (name: string, labels?: Record<string, string>) => number | undefined {
  const families = parseExposition(text, openMetrics)
  const samples = [...families.values()].flatMap(family => family.samples)
  return (name, labels = {}) => samples.find(sample => sample.name === name && labelKey(sample.labels) === labelKey(labels))?.value
}

const read = (broker: Broker): ReturnType<typeof reader> => reader(prometheusText(broker.metrics()))

async function withBroker(options: BrokerOptions, action: (broker: Broker, channel: Channel) => Promise<void>): Promise<void> {
  const broker = await startBroker(options)
  try {
    await action(broker, broker.connect({ clientId: 'test' }))
  } finally {
    await broker.close()
  }
}

async function create(channel: Channel, name: string, numPartitions: number): Promise<void> {
  await channel.request('CreateTopics', { topics: [{ name, numPartitions, replicationFactor: -1, assignments: [], configs: [] }] })
}

async function produce(channel: Channel, topic: string, index: number, records: Buffer): Promise<void> {
  await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData: [{ index, records }] }] }, { version: 11 })
}

async function fetch(channel: Channel, topic: string, partition: number, fetchOffset: number, maxWaitMs = 0): Promise<Buffer> {
  const topics = [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1e6 }] }]
  const { responses } = await channel.request('Fetch', { maxWaitMs, minBytes: 1, maxBytes: 1e9, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, topics }, { version: 11 })
  return responses[0]!.partitions[0]!.records ?? Buffer.alloc(0)
}

const batches = fc.array(fc.record({ topic: fc.constantFrom('a', 'b'), partition: fc.nat(1), count: fc.integer({ min: 1, max: 5 }), size: fc.nat(40) }), { maxLength: 12 })

test('law: records and bytes in are what was produced, out what was fetched, ends are where the logs end', async () => {
  await fc.assert(fc.asyncProperty(batches, fc.nat(3), (produced, fetches) => withBroker({ memory: true }, async (broker, channel) => {
    const sum = { a: { bytesIn: 0, recordsIn: 0, bytesOut: 0 }, b: { bytesIn: 0, recordsIn: 0, bytesOut: 0 } }
    const ends = new Map<string, number>()
    for (const topic of ['a', 'b']) await create(channel, topic, 2)
    for (const { topic, partition, count, size } of produced) {
      const batch = batchOf(Array.from({ length: count }, () => ({ key: 'k', value: 'v'.repeat(size), timestamp: 1 })))
      await produce(channel, topic, partition, Buffer.from(batch))
      sum[topic as 'a'].bytesIn += batch.length
      sum[topic as 'a'].recordsIn += count
      ends.set(`${topic}-${partition}`, (ends.get(`${topic}-${partition}`) ?? 0) + count)
    }
    for (let i = 0; i < fetches; i++) for (const topic of ['a', 'b']) for (const partition of [0, 1]) sum[topic as 'a'].bytesOut += (await fetch(channel, topic, partition, 0)).length

    const value = read(broker)
    for (const topic of ['a', 'b'] as const) {
      expect(value('millrace_topic_in_bytes_total', { topic })).toBe(sum[topic].bytesIn)
      expect(value('millrace_topic_in_records_total', { topic })).toBe(sum[topic].recordsIn)
      expect(value('millrace_topic_out_bytes_total', { topic })).toBe(sum[topic].bytesOut)
      expect(value('millrace_topic_out_records_total', { topic })).toBe(sum[topic].recordsIn * fetches)
      for (const partition of ['0', '1']) expect(value('millrace_log_end_offset', { topic, partition })).toBe(ends.get(`${topic}-${partition}`) ?? 0)
    }
    expect(value('millrace_request_total_time_seconds_count', { api: 'Produce' })).toBe(produced.length === 0 ? undefined : produced.length)
    expect(value('millrace_requests_in_flight')).toBe(0)
  })), { numRuns: 25 })
})

test('a long poll counts what it brings once, and waits without working', async () => {
  const clock = new VirtualClock(1_000_000)
  await withBroker({ memory: true, clock }, async (broker, channel) => {
    await create(channel, 't', 1)
    const waiting = fetch(channel, 't', 0, 0, 60_000)
    clock.advance(4000)
    expect(read(broker)('millrace_requests_in_flight')).toBe(1)
    await produce(channel, 't', 0, batchOf([{ key: 'k', value: 'v', timestamp: 1_000_000 }]))
    expect((await waiting).length).toBeGreaterThan(0)
    const value = read(broker)
    expect(value('millrace_topic_out_records_total', { topic: 't' })).toBe(1)
    expect(value('millrace_request_total_time_seconds_sum', { api: 'Fetch' })).toBe(4)
    expect(value('millrace_request_local_time_seconds_sum', { api: 'Fetch' })).toBe(0)
  })
})

test('errors are counted by API and name; a deleted topic is forgotten', async () => {
  await withBroker({ memory: true }, async (broker, channel) => {
    await create(channel, 't', 1)
    await create(channel, 't', 1)
    await fetch(channel, 't', 7, 0)
    await fetch(channel, 't', 0, 9)
    expect(read(broker)('millrace_request_errors_total', { api: 'CreateTopics', error: 'TOPIC_ALREADY_EXISTS' })).toBe(1)
    expect(read(broker)('millrace_request_errors_total', { api: 'Fetch', error: 'UNKNOWN_TOPIC_OR_PARTITION' })).toBe(1)
    expect(read(broker)('millrace_request_errors_total', { api: 'Fetch', error: 'OFFSET_OUT_OF_RANGE' })).toBe(1)
    expect(read(broker)('millrace_log_size_bytes', { topic: 't', partition: '0' })).toBe(0)
    await channel.request('DeleteTopics', { topics: [{ name: 't', topicId: '00000000-0000-0000-0000-000000000000' }], timeoutMs: 1000 })
    expect(read(broker)('millrace_log_size_bytes', { topic: 't', partition: '0' })).toBeUndefined()
    expect(read(broker)('millrace_topic_in_bytes_total', { topic: 't' })).toBeUndefined()
  })
})

test('a group has a lag in each partition that it commits', async () => {
  await withBroker({ memory: true }, async (broker, channel) => {
    await create(channel, 't', 1)
    await produce(channel, 't', 0, batchOf(Array.from({ length: 10 }, () => ({ key: 'k', value: 'v', timestamp: 1 }))))
    await channel.request('FindCoordinator', { key: 'g', keyType: 0, coordinatorKeys: ['g'] })
    await channel.request('OffsetCommit', { groupId: 'g', memberId: '', topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }] }] }, { version: 9 })
    const value = read(broker)
    expect(value('millrace_group_lag', { group: 'g', topic: 't', partition: '0' })).toBe(6)
    expect(value('millrace_group_committed_offset', { group: 'g', topic: 't', partition: '0' })).toBe(4)
    expect(value('millrace_group_members', { group: 'g' })).toBe(0)
    expect(value('millrace_groups', { state: 'Empty' })).toBe(1)
  })
})

test('transactions are counted by state, open ones by partition and age', async () => {
  const clock = new VirtualClock(1_000_000)
  await withBroker({ memory: true, clock }, async (broker, channel) => {
    await create(channel, 't', 1)
    const producer = new TransactionalProducer(channel, 'x')
    await producer.init()
    await producer.send('t', ['a', 'b'])
    clock.advance(5000)
    const open = read(broker)
    expect(open('millrace_transactional_ids', { state: 'Ongoing' })).toBe(1)
    expect(open('millrace_transaction_oldest_seconds')).toBe(5)
    expect(open('millrace_transactions_open')).toBe(1)
    await producer.end(true)
    const done = read(broker)
    expect(done('millrace_transaction_oldest_seconds')).toBe(0)
    expect(done('millrace_transactions_open')).toBe(0)
    expect(done('millrace_topic_in_records_total', { topic: 't' })).toBe(2)
  })
})

test('no metric shows more series than it may; it says how many are left out', async () => {
  await withBroker({ memory: true, settings: { 'millrace.metrics.max.series': 3 } }, async (broker, channel) => {
    await create(channel, 't', 10)
    const families = parseExposition(prometheusText(broker.metrics()))
    expect(families.get('millrace_log_end_offset')!.samples).toHaveLength(3)
    expect(read(broker)('millrace_metrics_series_left_out', { metric: 'millrace_log_end_offset' })).toBe(7)
    expect(read(broker)('millrace_partitions')).toBe(10)
  })
})

test('metrics, health and readiness are served over HTTP, in either format', async () => {
  await withBroker({ memory: true, metrics: '127.0.0.1:0' }, async broker => {
    const { host, port } = broker.metricsAddress!
    const ask = (path: string, init: RequestInit = {}): Promise<Response> => globalThis.fetch(`http://${host}:${port}${path}`, init)
    expect((await ask('/healthz')).status).toBe(200)
    expect(await (await ask('/ready')).text()).toBe('ready\n')
    expect((await ask('/')).status).toBe(404)
    expect((await ask('/metrics', { method: 'POST' })).status).toBe(405)
    const plain = await ask('/metrics')
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(reader(await plain.text())('process_resident_memory_bytes')).toBeGreaterThan(1e6)
    const open = await ask('/metrics', { headers: { accept: 'application/openmetrics-text; version=1.0.0; q=0.6, text/plain; version=0.0.4; q=0.3, */*; q=0.2' } })
    expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(reader(await open.text(), true)('millrace_topics')).toBe(0)
    await broker.close()
    await expect(ask('/healthz')).rejects.toThrow('fetch failed')
  })
})

test('a port that is taken is named, and the broker does not stay behind', async () => {
  await withBroker({ memory: true, metrics: '127.0.0.1:0' }, async broker => {
    await expect(startBroker({ memory: true, metrics: `127.0.0.1:${broker.metricsAddress!.port}` })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' })
  })
})
