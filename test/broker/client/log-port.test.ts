// The laws of a log port, on every way to a broker: what is written is what is read, in order, and every wait ends.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogClient } from '../../../broker/client/connect-log.ts'
import { Headers } from '../../../core/headers.ts'
import { logsUnderTest, readAll, readRows, rowsOf, type LogUnderTest } from './log-under-test.ts'

describe.each(Object.entries(logsUnderTest))('over %s', (_, open) => {
  let under: LogUnderTest
  let log: LogClient
  beforeEach(async () => {
    under = await open()
    log = await under.connect()
  })
  afterEach(() => under[Symbol.asyncDispose]())

  const at = (topic: string, partition = 0): { topic: string; partition: number } => ({ topic, partition })
  const bytes = (text: string): Buffer => Buffer.from(text)

  async function topic(name: string, partitions = 1, config: Record<string, string> = {}): Promise<string> {
    await log.admin.createTopics([{ name, partitions, config }])
    return name
  }

  async function write(name: string, values: readonly string[], partition = 0): Promise<void> {
    const producer = await log.producer()
    values.forEach((value, i) => producer.appender(name, partition).append(null, bytes(value), 1000 + i))
    await producer.flush()
    await producer.close()
  }

  describe('a producer', () => {
    it('writes what is read: keys, values, nulls, headers, event times, in order', async () => {
      await topic('facts', 2)
      const producer = await log.producer()
      const [zero, one] = [producer.appender('facts', 0), producer.appender('facts', 1)]
      zero.append(bytes('a'), bytes('1'), 5000)
      one.append(bytes('b'), null, 4000, Headers.of(['trace', 'x'], ['trace', 'y'], ['none', null]))
      zero.append(null, bytes(''), 3000)
      expect([zero.lastOffset, one.lastOffset]).toEqual([-1, -1])
      await producer.flush()
      expect([zero.lastOffset, one.lastOffset, producer.pendingBytes]).toEqual([1, 0, 0])
      expect(await readAll(log, [at('facts', 0)])).toEqual([
        { partition: 0, offset: 0, key: 'a', value: '1', timestamp: 5000, headers: [] },
        { partition: 0, offset: 1, key: null, value: '', timestamp: 3000, headers: [] },
      ])
      expect(await readAll(log, [at('facts', 1)])).toEqual([
        { partition: 1, offset: 0, key: 'b', value: null, timestamp: 4000, headers: [['trace', 'x'], ['trace', 'y'], ['none', null]] },
      ])
    })

    it('sends by itself when a batch is full, and when it has lingered', async () => {
      await topic('lively')
      const reader = log.reader()
      reader.assign([{ ...at('lively'), offset: 0 }])
      const producer = await log.producer({ batchBytes: 1000, lingerMs: 3_600_000 })
      for (let i = 0; i < 100; i++) producer.appender('lively', 0).append(null, bytes(`record ${i} of a hundred`), i)
      expect((await readRows(reader, 50)).length).toBeGreaterThanOrEqual(50)
      const hasty = await log.producer({ lingerMs: 1 })
      const before = reader.position(at('lively'))!
      hasty.appender('lively', 0).append(null, bytes('soon'), 1)
      expect((await readRows(reader, 1)).map(row => row.value)).toEqual(['soon'])
      expect(reader.position(at('lively'))).toBe(before + 1)
    })

    it.each(['none', 'gzip', 'snappy', 'lz4'] as const)('compresses with %s', async compression => {
      await topic('pressed')
      const producer = await log.producer({ compression })
      for (let i = 0; i < 500; i++) producer.appender('pressed', 0).append(bytes(`key ${i % 7}`), bytes(`the value of record number ${i}`), i)
      await producer.flush()
      const rows = await readAll(log, [at('pressed')])
      expect(rows.map(row => row.value)).toEqual(Array.from({ length: 500 }, (_, i) => `the value of record number ${i}`))
    })

    it('holds back who writes more than the buffer takes', async () => {
      await topic('much')
      const producer = await log.producer({ bufferBytes: 20_000, batchBytes: 5_000 })
      let waits = 0
      for (let i = 0; i < 2000; i++) {
        producer.appender('much', 0).append(null, Buffer.alloc(100, i), i)
        if (producer.pendingBytes >= 20_000) {
          waits++
          await producer.ready()
          expect(producer.pendingBytes).toBeLessThan(20_000)
        }
      }
      expect(waits).toBeGreaterThan(2)
      await producer.flush()
      expect((await log.admin.listOffsets([at('much')], 'latest')).get('much-0')).toBe(2000)
    })

    it('splits a batch that is too large for the topic, and keeps the order', async () => {
      await topic('narrow', 1, { 'max.message.bytes': '2000' })
      const producer = await log.producer({ compression: 'none' })
      for (let i = 0; i < 300; i++) producer.appender('narrow', 0).append(bytes(String(i)), Buffer.alloc(100, 65), i, i % 50 === 0 ? Headers.of(['i', String(i)]) : null)
      await producer.flush()
      expect(producer.appender('narrow', 0).lastOffset).toBe(299)
      const rows = await readAll(log, [at('narrow')])
      expect(rows.map(row => row.key)).toEqual(Array.from({ length: 300 }, (_, i) => String(i)))
      expect(rows[250]?.headers).toEqual([['i', '250']])
    })

    it('says which record is too large by itself, and what to raise; it is over then', async () => {
      await topic('narrow', 1, { 'max.message.bytes': '2000' })
      const producer = await log.producer({ compression: 'none' })
      producer.appender('narrow', 0).append(bytes('four'), Buffer.alloc(3000), 1)
      await expect(producer.flush()).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE', message: expect.stringMatching(/narrow-0 of 30\d\d bytes \(its key has 4\).*Raise max\.message\.bytes/) })
      await expect(producer.ready()).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
      producer.appender('narrow', 0).append(bytes('four'), bytes('more'), 1)
      expect(producer.pendingBytes).toBe(0)
      await producer.close()
    })

    it('knows how many partitions a topic has', async () => {
      await topic('parted', 7)
      const producer = await log.producer()
      expect(producer.knownPartitionsOf('nowhere')).toBeUndefined()
      expect([await producer.partitionsOf('parted'), await producer.partitionsOf('nowhere')]).toEqual([7, null])
      expect([producer.knownPartitionsOf('parted'), producer.knownPartitionsOf('nowhere')]).toEqual([7, undefined])
      await topic('nowhere', 2)
      expect(await producer.partitionsOf('nowhere')).toBe(2)
    })

    it('flushes only what was appended before, however much follows', async () => {
      await topic('endless', 3)
      const producer = await log.producer({ lingerMs: 0 })
      for (let round = 0; round < 50; round++) {
        for (let i = 0; i < 30; i++) producer.appender('endless', i % 3).append(null, bytes(String(round)), i)
        const flushed = producer.flush()
        for (let i = 0; i < 3; i++) producer.appender('endless', i).append(null, bytes('next'), i)
        await flushed
        expect(producer.appender('endless', 2).lastOffset).toBeGreaterThanOrEqual(round * 11 + 9)
      }
      await producer.flush()
      expect([0, 1, 2].map(i => producer.appender('endless', i).lastOffset)).toEqual([549, 549, 549])
    })
  })

  describe('a reader', () => {
    it('waits for what is to come', async () => {
      await topic('later')
      const reader = log.reader()
      reader.assign([{ ...at('later'), offset: 0 }])
      expect(await reader.poll(20)).toEqual([])
      const waiting = reader.poll(10_000)
      await write('later', ['now'])
      const fetched = await waiting
      expect(fetched[0]).toMatchObject({ topic: 'later', partition: 0, nextOffset: 1, highWatermark: 1 })
      expect(rowsOf(fetched).map(row => row.value)).toEqual(['now'])
      expect([reader.position(at('later')), reader.endOffset(at('later'))]).toEqual([1, 1])
    })

    it('begins inside a batch, seeks back and forth, and is asked for what it does not read', async () => {
      await topic('long')
      await write('long', Array.from({ length: 100 }, (_, i) => String(i)))
      const reader = log.reader()
      reader.assign([{ ...at('long'), offset: 97 }])
      expect((await readRows(reader, 3)).map(row => row.offset)).toEqual([97, 98, 99])
      reader.seek(at('long'), 42)
      expect(reader.position(at('long'))).toBe(42)
      expect((await readRows(reader, 58))[0]).toMatchObject({ offset: 42, value: '42' })
      expect(reader.position(at('other'))).toBeUndefined()
      expect(() => reader.seek(at('other'), 1)).toThrow(expect.objectContaining({ code: 'NOT_ASSIGNED' }))
    })

    it('holds back paused partitions, also what was fetched before', async () => {
      await topic('two', 2)
      await write('two', ['a'], 0)
      await write('two', ['b'], 1)
      const reader = log.reader()
      reader.assign([{ ...at('two', 0), offset: 0 }, { ...at('two', 1), offset: 0 }])
      reader.pause([at('two', 0)])
      expect((await readRows(reader, 1)).map(row => row.value)).toEqual(['b'])
      expect(await reader.poll(50)).toEqual([])
      reader.resume([at('two', 0)])
      expect((await readRows(reader, 1)).map(row => row.value)).toEqual(['a'])
    })

    it('reads a busy partition without waiting for a quiet one', async () => {
      await topic('uneven', 2)
      const reader = log.reader({ maxWaitMs: 600_000, maxPartitionBytes: 2_000 })
      reader.assign([{ ...at('uneven', 0), offset: 0 }, { ...at('uneven', 1), offset: 0 }])
      expect(await reader.poll(30)).toEqual([])
      for (let round = 0; round < 20; round++) {
        await write('uneven', Array.from({ length: 100 }, (_, i) => `round ${round}, record ${i}, long enough to fill some fetches`), round % 2)
        expect((await readRows(reader, 100)).length).toBe(100)
      }
    })

    it('reads on over a hundred partitions in small fetches, each in order', async () => {
      await topic('wide', 100)
      const producer = await log.producer({ batchBytes: 600 })
      for (let i = 0; i < 5000; i++) producer.appender('wide', i % 100).append(null, bytes(String(i)), i)
      await producer.flush()
      const reader = log.reader({ maxPartitionBytes: 500 })
      reader.assign(Array.from({ length: 100 }, (_, partition) => ({ ...at('wide', partition), offset: 0 })))
      const next = new Map<number, number>()
      for (const { partition, offset, value } of await readRows(reader, 5000)) {
        expect(offset).toBe(next.get(partition) ?? 0)
        expect(Number(value)).toBe(offset * 100 + partition)
        next.set(partition, offset + 1)
      }
    })

    it('says when the records at its position are gone', async () => {
      await topic('short')
      await write('short', ['a', 'b', 'c'])
      await log.admin.deleteRecords([{ ...at('short'), offset: 2 }])
      const reader = log.reader()
      reader.assign([{ ...at('short'), offset: 0 }])
      await expect(reader.poll(10_000)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', message: expect.stringContaining('short-0 at offset 0') })
      reader.seek(at('short'), 2)
      expect((await readRows(reader, 1)).map(row => row.value)).toEqual(['c'])
    })

    it('ends its waiting when it is closed, or the log', async () => {
      await topic('closing')
      const [first, second] = [log.reader(), log.reader()]
      first.assign([{ ...at('closing'), offset: 0 }])
      const waiting = [first, second].map(reader => expect(reader.poll(60_000)).rejects.toMatchObject({ code: 'CLIENT_CLOSED' }))
      await first.close()
      await log.close()
      await Promise.all(waiting)
      await expect(log.producer()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
    })
  })

  describe('the administrator', () => {
    it('makes topics, leaves those that exist, shows and deletes them', async () => {
      await topic('b', 3)
      await log.admin.createTopics([{ name: 'b', partitions: 5 }, { name: 'a', partitions: -1 }])
      expect(await log.admin.listTopics()).toEqual(['a', 'b'])
      expect([...(await log.admin.describeTopics(['b', 'nowhere'])).values()]).toEqual([{ name: 'b', partitions: 3 }])
      const details = (await log.admin.describeTopicDetails(['b'])).get('b')!
      expect(details.partitionDetails[2]).toMatchObject({ partition: 2, leader: under.broker.nodeId, replicas: [under.broker.nodeId], inSync: [under.broker.nodeId] })
      await log.admin.deleteTopics(['b'])
      expect(await log.admin.listTopics()).toEqual(['a'])
      await expect(log.admin.deleteTopics(['b'])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
      await expect(log.admin.createTopics([{ name: 'no/good', partitions: 1 }])).rejects.toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' })
    })

    it('finds offsets by time, and ends', async () => {
      await topic('timed', 2)
      await write('timed', ['a', 'b', 'c'])
      const partitions = [at('timed', 0), at('timed', 1)]
      expect(Object.fromEntries(await log.admin.listOffsets(partitions, 'latest'))).toEqual({ 'timed-0': 3, 'timed-1': 0 })
      expect(Object.fromEntries(await log.admin.listOffsets(partitions, 'earliest'))).toEqual({ 'timed-0': 0, 'timed-1': 0 })
      expect(Object.fromEntries(await log.admin.listOffsets(partitions, { timestamp: 1001 }))).toEqual({ 'timed-0': 1, 'timed-1': -1 })
      await expect(log.admin.listOffsets([at('timed', 2)], 'latest')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', message: expect.stringContaining('has 2 partitions') })
    })

    it('describes the cluster', async () => {
      const { brokers, clusterId } = await log.admin.describeCluster()
      expect(clusterId).toBe(under.broker.clusterId)
      expect(brokers.map(({ nodeId }) => nodeId)).toEqual([under.broker.nodeId])
    })

    it('shows and changes settings', async () => {
      await topic('set', 1, { 'retention.ms': '1000000' })
      const valueOf = async (name: string): Promise<unknown> => (await log.admin.describeConfigs({ topic: 'set' })).find(entry => entry.name === name)
      expect(await valueOf('retention.ms')).toMatchObject({ value: '1000000', source: 'topic' })
      await log.admin.alterConfigs({ topic: 'set' }, [{ name: 'retention.ms', operation: 'set', value: '2000000' }])
      expect(await valueOf('retention.ms')).toMatchObject({ value: '2000000' })
      await log.admin.alterConfigs({ topic: 'set' }, [{ name: 'retention.ms', operation: 'delete' }])
      expect(await valueOf('retention.ms')).not.toMatchObject({ source: 'topic' })
      await expect(log.admin.describeConfigs({ topic: 'nowhere' })).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    })
  })
})
