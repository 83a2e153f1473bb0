// A broker under attack over real sockets: whatever it is sent it answers or closes that connection, and its other clients never notice.

import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import type { LogFields, Logger } from '../../../core/logger.ts'
import { seededRandom, systemRandom, type Random } from '../../../core/random.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import { servedVersions } from '../../../broker/server/served-apis.ts'
import { apis, type ApiName } from '../../../broker/wire/apis.ts'
import { ByteReader } from '../../../broker/wire/byte-reader.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { canDecompress } from '../../../broker/wire/compression.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { decodeResponse, encodeRequest, readCorrelationId } from '../../../broker/wire/frame.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { batchOf, recordsOf } from '../log/batches.ts'
import { batchAround, bombs, garbage, goodBatch, hostileBatch } from './hostile-batch.ts'
import { damaged, hostileRequest, pick, type Pools } from './hostile-message.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

const nightly = process.env['MILLRACE_NIGHTLY'] !== undefined
const seed = Number(process.env['MILLRACE_SEED'] ?? systemRandom.uint32())
const startMs = 1_700_000_000_000

let clock: VirtualClock
let disk: MemoryDisk
let broker: Broker
let control: Control
let bugs: { readonly message: string; readonly fields: LogFields }[]
const channels: { close(): void }[] = []

const logger: Logger = {
  info() {},
  warn() {},
  error: (message, fields = {}) => void bugs.push({ message, fields }),
}

beforeEach(async () => {
  bugs = []
  clock = new VirtualClock(startMs)
  disk = new MemoryDisk()
  // Housekeeping would delete, and idleness end connections whose large frame is on its way, by a clock that leaps by weeks.
  broker = await startBroker({ disk, clock, random: seededRandom(seed), logger, listen: '127.0.0.1:0', settings: { 'log.retention.check.interval.ms': 2 ** 31 - 1, 'offsets.topic.num.partitions': 2, 'connections.max.idle.ms': Number.MAX_SAFE_INTEGER } })
  control = await Control.start()
})

afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close()
  await broker.close()
})

/** Nothing here stands still by design, so that everything ends within some turns of the event loop, or when the broker's clock is moved. */
async function until(done: () => boolean, what: string): Promise<void> {
  for (let turns = 0; !done(); turns++) {
    await turn()
    if (turns % 100 === 99) clock.advance(turns < 2000 ? 1000 : 2 ** 31)
    if (turns > 200_000) throw new Error(`${what} never ended`)
  }
}

/** A client that behaves: what it wrote it reads, exactly, whatever the others do. */
class Control {
  readonly #channel: Channel
  readonly values: string[] = []

  constructor(channel: Channel) {
    this.#channel = channel
  }

  static async start(): Promise<Control> {
    const channel = await connectTcpChannel({ ...broker.address!, clock, clientId: 'control' })
    channels.push(channel)
    const configs = { 'retention.ms': '-1', 'retention.bytes': '-1', 'cleanup.policy': 'delete', 'max.message.bytes': '1000000', 'message.timestamp.type': 'CreateTime', 'message.timestamp.after.max.ms': String(2 ** 53) }
    await channel.request('CreateTopics', { topics: [{ name: 'control', numPartitions: 1, replicationFactor: 1, assignments: [], configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }] })
    return new Control(channel)
  }

  /** Within some turns, without any time passing. */
  async round(): Promise<void> {
    const at = clock.now()
    const value = `value ${this.values.length}`
    const records = batchOf([{ key: 'k', value, timestamp: startMs }])
    const produced = await this.#channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 'control', partitionData: [{ index: 0, records }] }] }, { version: 11 })
    expect(produced.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: this.values.length })
    this.values.push(value)
    expect(await read(this.#channel, Math.max(0, this.values.length - 3))).toEqual(this.values.slice(-3))
    expect(clock.now()).toBe(at)
  }
}

async function read(channel: Channel, from: number): Promise<readonly (string | null)[]> {
  const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, maxBytes: 1e8, topics: [{ topic: 'control', partitions: [{ partition: 0, fetchOffset: from, partitionMaxBytes: 1e8 }] }] }, { version: 11 })
  return recordsOf(responses[0]!.partitions[0]!.records!, from).map(({ value }) => value)
}

/** What must be true at the end of every attack. */
async function checkAfterwards(): Promise<void> {
  await control.round()
  expect(bugs.filter(({ message }) => message === 'a request failed by a bug').map(({ fields }) => (fields['cause'] as Error).stack)).toEqual([])
  const { values } = control
  for (const channel of channels.splice(0)) channel.close()
  await broker.close()
  broker = await startBroker({ disk, clock, random: seededRandom(1), logger })
  const channel = broker.connect()
  expect(await read(channel, 0)).toEqual(values)
}

async function pools(random: Random): Promise<Pools> {
  const channel = broker.connect()
  await channel.request('FindCoordinator', { coordinatorKeys: ['g'] })
  const { topics } = await channel.request('Metadata', { topics: [{ name: 'h' }, { name: 'other' }] })
  channel.close()
  return { strings: ['h', 'h', 'h', 'other', 'g', 'g', '1', 'cleanup.policy', 'compact', 'consumer', 'range', 'm'], uuids: topics.map(({ topicId }) => topicId), records: () => hostileBatch(random) }
}

/** Any API and version that is served, in turn, so that a run of some hundreds tries them all. */
function anyVersion(random: Random): { readonly api: ApiName; readonly version: number } {
  const [api, [min, max]] = pick(random, [...servedVersions])
  const least = Math.max(min, apis[api].minVersion)
  return { api, version: least + (random.uint32() % (max - least + 1)) }
}

/** A good request of the same connection, by whose answer one knows that all before it was answered. */
const probeId = 0x7abcdef
function probe(): Buffer {
  return Buffer.concat(encodeRequest('ApiVersions', 0, { correlationId: probeId, clientId: null }, {}))
}

function correlationIds(client: RawClient): readonly number[] {
  return client.frames.map(frame => frame.readInt32BE(0))
}

describe(`MILLRACE_SEED=${seed}`, () => {
  test('well-formed requests with wild values get an answer that can be read', async () => {
    const random = seededRandom(seed)
    const known = await pools(random)
    let client = await connectRaw(broker.address!.port)
    for (let n = 0; n < (nightly ? 20_000 : 1000); n++) {
      const { api, version } = anyVersion(random)
      const frame = hostileRequest(random, api, version, n, known)
      client.frames.length = 0
      client.send(Buffer.concat([frame, probe()]))
      await until(() => client.isClosed || correlationIds(client).includes(probeId), `case ${n}, ${api} ${version}: ${frame.toString('hex').slice(0, 2000)}`)
      const context = `case ${n}, ${api} ${version}`
      expect(bugs.map(({ fields }) => (fields['cause'] as Error | undefined)?.stack ?? fields), context).toEqual([])
      for (const answer of client.frames) {
        const reader = new ByteReader(answer)
        const correlationId = readCorrelationId(reader)
        expect([n, probeId], context).toContain(correlationId)
        if (correlationId === n) decodeResponse(api, version, reader)
      }
      // Only an acks=0 that is refused is answered by closing.
      if (client.isClosed) expect(api, context).toBe('Produce')
      if (client.isClosed) client = await connectRaw(broker.address!.port)
      if (n % 50 === 0) await control.round()
    }
    client.close()
    await checkAfterwards()
  })

  test('batches of every kind of wrongness are refused, and what is taken can be read by everyone', async () => {
    const random = seededRandom(seed + 2)
    const channel = await connectTcpChannel({ ...broker.address!, clock, clientId: 'producer' })
    channels.push(channel)
    await channel.request('Metadata', { topics: [{ name: 'h' }] })
    let taken = 0
    for (let n = 0; n < (nightly ? 30_000 : 1500); n++) {
      const isGood = n % 10 === 0
      const records = isGood ? goodBatch(random, false) : hostileBatch(random)
      const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 'h', partitionData: [{ index: 0, records }] }] }, { version: 9 })
      const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
      if (isGood) expect(errorNameOf(errorCode), `case ${n}`).toBe('NONE')
      // What this Node cannot read it cannot check either.
      if (errorCode !== 0 || !canDecompress(new RecordBatchHeader(records).codec)) continue
      const fetched = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, maxBytes: 1e8, topics: [{ topic: 'h', partitions: [{ partition: 0, fetchOffset: baseOffset, partitionMaxBytes: 1 }] }] }, { version: 11 })
      expect(recordsOf(fetched.responses[0]!.partitions[0]!.records!).length, `case ${n}`).toBeGreaterThan(0)
      taken++
    }
    expect(taken).toBeGreaterThan(10)
    await checkAfterwards()
  })

  test('damaged frames are answered or end their connection', async () => {
    const random = seededRandom(seed + 1)
    const known = await pools(random)
    const next = (n: number): Buffer => {
      const { api, version } = anyVersion(random)
      return hostileRequest(random, api, version, n, known)
    }
    for (let n = 0; n < (nightly ? 20_000 : 700); n++) {
      const frame = damaged(random, next(n), next(n))
      const client = await connectRaw(broker.address!.port)
      client.send(Buffer.concat([frame, probe()]))
      client.socket.end()
      await until(() => client.isClosed, `case ${n}: ${frame.toString('hex').slice(0, 2000)}`)
      for (const answer of client.frames) expect(answer.length, `case ${n}`).toBeGreaterThanOrEqual(4)
      if (n % 50 === 0) await control.round()
    }
    await checkAfterwards()
  })

  const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))
  const wide = times(500, partitionIndex => ({ partitionIndex, committedOffset: 5, committedMetadata: 'x'.repeat(4000) }))
  const greedy: readonly { readonly name: string; readonly ask: (channel: Channel) => Promise<unknown> }[] = [
    { name: 'the settings of the broker', ask: channel => channel.request('DescribeConfigs', { resources: times(100_000, () => ({ resourceType: 4, resourceName: '1', configurationKeys: null })), includeSynonyms: true, includeDocumentation: true }) },
    { name: 'what topics would be like', ask: channel => channel.request('CreateTopics', { validateOnly: true, topics: times(100_000, index => ({ name: `t${index}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })) }) },
    { name: 'all offsets of a group', ask: channel => channel.request('OffsetFetch', { groups: times(100_000, () => ({ groupId: 'g', topics: null })) }) },
    { name: 'the producers of a partition', ask: channel => channel.request('DescribeProducers', { topics: [{ name: 'wide', partitionIndexes: times(50_000, () => 0) }] }) },
    { name: 'few offsets with long notes', ask: channel => channel.request('OffsetFetch', { groups: times(100, () => ({ groupId: 'g', topics: null })) }) },
  ]
  test.each(greedy)('$name, asked for again and again in one request, ends the connection of who asks', async ({ ask }) => {
    const other = await connectTcpChannel({ ...broker.address!, clock, clientId: 'greedy' })
    channels.push(other)
    await other.request('FindCoordinator', { coordinatorKeys: ['g'] })
    await other.request('CreateTopics', { topics: [{ name: 'wide', numPartitions: 500, replicationFactor: 1, assignments: [], configs: [] }] })
    await other.request('OffsetCommit', { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 'wide', partitions: wide }] }, { version: 9 })
    for (let producerId = 0; producerId < 50; producerId++) {
      const records = batchOf([{ key: null, value: 'v', timestamp: startMs }], { producerId, producerEpoch: 0, baseSequence: 0 })
      await other.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 'wide', partitionData: [{ index: 0, records }] }] }, { version: 9 })
    }
    await expect(ask(other)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    await checkAfterwards()
  })

  test('settings of 100,000 resources in one request are refused or changed without holding others up', async () => {
    const other = await connectTcpChannel({ ...broker.address!, clock, clientId: 'greedy' })
    channels.push(other)
    const { responses } = await other.request('AlterConfigs', { resources: times(100_000, () => ({ resourceType: 4, resourceName: '1', configs: [] })), validateOnly: false })
    expect(new Set(responses.map(({ errorCode }) => errorNameOf(errorCode)))).toEqual(new Set(['INVALID_REQUEST']))
    await checkAfterwards()
  })

  const attacks = [...bombs(), ...garbage(seededRandom(seed))].flatMap(bomb => (nightly ? ['h', 'compacted'] : ['h']).map(topic => ({ ...bomb, topic })))
  test.each(attacks)('$name in a batch for the topic $topic is refused, and costs the memory of one batch', async ({ codec, content, topic }) => {
    const channel = await connectTcpChannel({ ...broker.address!, clock, clientId: 'bomber' })
    channels.push(channel)
    const configs = [{ name: 'max.message.bytes', value: '10000000' }, { name: 'cleanup.policy', value: topic === 'compacted' ? 'compact' : 'delete' }]
    await channel.request('CreateTopics', { topics: [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs }] })
    const before = process.memoryUsage()
    for (const count of [1, 2 ** 31 - 1]) {
      const records = batchAround(content, codec, count, startMs)
      const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData: [{ index: 0, records }, { index: 0, records: batchAround(content, codec, count, startMs) }] }] }, { version: 9 })
      expect(responses[0]!.partitionResponses.map(({ errorCode }) => errorNameOf(errorCode))).toEqual(['INVALID_RECORD', 'INVALID_RECORD'])
      await control.round()
    }
    const after = process.memoryUsage()
    expect(after.heapUsed - before.heapUsed).toBeLessThan(300e6)
    expect(after.external - before.external).toBeLessThan(900e6)
    await checkAfterwards()
  })
})
