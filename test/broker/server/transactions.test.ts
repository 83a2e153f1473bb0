// Stories of transactions over a broker's pipe, as clients of transaction.version 1 and 2 tell them, with time moved by hand.

import { afterEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import type { Disk } from '../../../broker/disk/disk.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { RequestInput } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { refusingDisk } from '../disk/refusing-disk.ts'
import { slowDisk } from '../disk/slow-disk.ts'
import { batchOf } from '../log/batches.ts'
import { positionOf, readAll, readCommitted, TransactionalProducer, type TransactionVersion } from './transactional-producer.ts'

const open: Broker[] = []
let clock = new VirtualClock(1_000_000)

async function start(disk: Disk = new MemoryDisk(), settings = {}): Promise<Channel> {
  const broker = await startBroker({ disk, clock, random: seededRandom(1), settings })
  open.push(broker)
  const channel = broker.connect({ clientId: 'c' })
  await channel.request('Metadata', { topics: [{ name: 't' }] })
  return channel
}

afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
  clock = new VirtualClock(1_000_000)
})

/** Lets what was begun go on until it waits for time or people. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
}

async function describeTransaction(channel: Channel, id: string) {
  await settle()
  const { transactionStates } = await channel.request('DescribeTransactions', { transactionalIds: [id] })
  return transactionStates[0]!
}

describe.each([1, 2] as const)('transaction.version %i', (version: TransactionVersion) => {
  test('records count from their commit on, and never after an abort', async () => {
    const channel = await start()
    const producer = new TransactionalProducer(channel, 'p', version)
    expect(await producer.init()).toBe('NONE')
    expect(await producer.send('t', ['a=1', 'b=1'])).toBe('NONE')
    expect((await readCommitted(channel, 't')).values).toEqual([])
    expect(await readAll(channel, 't')).toEqual(['a=1', 'b=1'])
    expect(await producer.end(true)).toBe('NONE')
    await settle()
    expect((await readCommitted(channel, 't')).values).toEqual(['a=1', 'b=1'])

    expect(await producer.send('t', ['a=2'])).toBe('NONE')
    expect(await producer.end(false)).toBe('NONE')
    expect(await producer.send('t', ['a=3'])).toBe('NONE')
    expect(await producer.end(true)).toBe('NONE')
    await settle()
    const seen = await readCommitted(channel, 't')
    expect(seen.values).toEqual(['a=1', 'b=1', 'a=3'])
    expect(seen.lastStableOffset).toBe(7)
    expect(await readAll(channel, 't')).toEqual(['a=1', 'b=1', 'a=2', 'a=3'])
  })

  test('transactions follow each other at once, and pipelined batches keep their order', async () => {
    const channel = await start()
    const producer = new TransactionalProducer(channel, 'p', version)
    await producer.init()
    for (let i = 0; i < 20; i++) {
      if (version === 1) expect(await producer.send('t', [`k=${i}`])).toBe('NONE')
      const sends = [1, 2, 3].map(n => producer.send('t', [`k=${i}.${n}`]))
      expect(await Promise.all(sends)).toEqual(['NONE', 'NONE', 'NONE'])
      expect(await producer.end(i % 2 === 0)).toBe('NONE')
    }
    await settle()
    const expected = Array.from({ length: 10 }, (_, half) => [...(version === 1 ? [`k=${half * 2}`] : []), ...[1, 2, 3].map(n => `k=${half * 2}.${n}`)]).flat()
    expect((await readCommitted(channel, 't')).values).toEqual(expected)
  })

  test('a producer that comes again shuts out the one before, and its transaction is aborted', async () => {
    const channel = await start()
    const zombie = new TransactionalProducer(channel, 'p', version)
    await zombie.init()
    expect(await zombie.send('t', ['a=old'])).toBe('NONE')
    const heir = new TransactionalProducer(channel, 'p', version)
    expect(await heir.init()).toBe('NONE')
    expect(heir.producerEpoch).toBeGreaterThan(zombie.producerEpoch)
    expect(await zombie.produce('t', ['a=older'])).toBe('INVALID_PRODUCER_EPOCH')
    expect(await zombie.commitOffset({ groupId: 'g', topic: 't', offset: 5 })).toBe(version === 1 ? 'PRODUCER_FENCED' : 'INVALID_PRODUCER_EPOCH')
    expect(await zombie.end(true)).toBe('PRODUCER_FENCED')
    expect(await zombie.add('t')).toBe('PRODUCER_FENCED')
    expect(await zombie.add('t', 0, 1)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await heir.send('t', ['a=new'])).toBe('NONE')
    expect(await heir.end(true)).toBe('NONE')
    await settle()
    expect((await readCommitted(channel, 't')).values).toEqual(['a=new'])
  })

  test('offsets of a group move with the commit, and are unstable before', async () => {
    const channel = await start()
    const producer = new TransactionalProducer(channel, 'p', version)
    await producer.init()
    expect(await producer.commitOffset({ groupId: 'g', topic: 't', offset: 5 })).toBe('NONE')
    expect(await positionOf(channel, 'g', 't')).toBe('UNSTABLE_OFFSET_COMMIT')
    const unstable = await channel.request('OffsetFetch', { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }, { version: 6 })
    expect(unstable.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, committedOffset: -1 })
    await producer.end(true)
    await settle()
    expect(await positionOf(channel, 'g', 't')).toBe(5)
    await producer.commitOffset({ groupId: 'g', topic: 't', offset: 9 })
    await producer.end(false)
    await settle()
    expect(await positionOf(channel, 'g', 't')).toBe(5)
  })

  test('a transaction that is open for too long is aborted, and its producer shut out', async () => {
    const channel = await start()
    const producer = new TransactionalProducer(channel, 'p', version)
    await producer.init({ timeoutMs: 30_000 })
    expect(await producer.send('t', ['a=1'])).toBe('NONE')
    clock.advance(29_000)
    await settle()
    expect(await describeTransaction(channel, 'p')).toMatchObject({ transactionState: 'Ongoing', transactionTimeoutMs: 30_000, topics: [{ topic: 't', partitions: [0] }] })
    clock.advance(11_001)
    expect(await describeTransaction(channel, 'p')).toMatchObject({ transactionState: 'CompleteAbort', topics: [] })
    // To a client of version 2 it looks as if an abort of its own had been answered.
    expect(await producer.end(true)).toBe(version === 1 ? 'PRODUCER_FENCED' : 'INVALID_TXN_STATE')
    expect(await producer.produce('t', ['a=2'])).toBe('INVALID_PRODUCER_EPOCH')
    const seen = await readCommitted(channel, 't')
    expect([seen.values, seen.nextOffset]).toEqual([[], 2])
    expect(await producer.init()).toBe('NONE')
    expect(await producer.send('t', ['a=3'])).toBe('NONE')
    expect(await producer.end(true)).toBe('NONE')
    await settle()
    expect((await readCommitted(channel, 't')).values).toEqual(['a=3'])
  })

  test('a member that lost its place commits no offsets', async () => {
    const channel = await start()
    await channel.request('FindCoordinator', { coordinatorKeys: ['g'] })
    const joined = await channel.request('JoinGroup', { groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 30_000, memberId: '', groupInstanceId: 'i', protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from('m') }] })
    const { memberId, generationId } = joined
    expect(joined.errorCode).toBe(0)
    const producer = new TransactionalProducer(channel, 'p', version)
    await producer.init()
    const commit = { groupId: 'g', topic: 't', offset: 5 }
    expect(await producer.commitOffset({ ...commit, memberId: 'nobody', generationId })).toBe('UNKNOWN_MEMBER_ID')
    expect(await producer.commitOffset({ ...commit, memberId, generationId: generationId + 1 })).toBe('ILLEGAL_GENERATION')
    expect(await producer.commitOffset({ ...commit, memberId: 'other', groupInstanceId: 'i', generationId })).toBe('FENCED_INSTANCE_ID')
    expect(await producer.commitOffset({ ...commit, groupId: 'nobody', memberId, generationId })).toBe('ILLEGAL_GENERATION')
    expect(await producer.commitOffset({ ...commit, topic: 'unknown', memberId, generationId })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await producer.commitOffset({ ...commit, memberId, groupInstanceId: 'i', generationId })).toBe('NONE')
    expect(await producer.commitOffset({ ...commit, offset: 6 })).toBe('NONE')
    expect(await producer.end(true)).toBe('NONE')
    await settle()
    expect(await positionOf(channel, 'g', 't')).toBe(6)
  })

  test('a restart in the midst of a transaction loses nothing of it', async () => {
    const disk = new MemoryDisk()
    const first = await start(disk)
    const producer = new TransactionalProducer(first, 'p', version)
    await producer.init()
    await producer.send('t', ['a=1'])
    await producer.commitOffset({ groupId: 'g', topic: 't', offset: 5 })
    await open.pop()!.close()
    const channel = await start(disk)
    expect((await readCommitted(channel, 't')).values).toEqual([])
    expect(await positionOf(channel, 'g', 't')).toBe('UNSTABLE_OFFSET_COMMIT')
    const { producerId, producerEpoch } = producer
    const { errorCode } = await channel.request('EndTxn', { transactionalId: 'p', producerId, producerEpoch, committed: true }, { version: version === 1 ? 4 : 5 })
    expect(errorCode).toBe(0)
    await settle()
    expect((await readCommitted(channel, 't')).values).toEqual(['a=1'])
    expect(await positionOf(channel, 'g', 't')).toBe(5)
  })

  test('an end that was decided is carried out by the next start', async () => {
    const disk = new MemoryDisk()
    const channel = await start(disk)
    const producer = new TransactionalProducer(channel, 'p', version)
    await producer.init()
    await producer.send('t', ['a=1'])
    await producer.commitOffset({ groupId: 'g', topic: 't', offset: 5 })
    disk.syncGate = new Promise(() => {})
    producer.end(true).catch(() => {})
    await settle()
    // The decision got to the medium, its answer to nobody; the markers did not.
    const crashed = disk.crash(({ size }) => ({ keep: size }))
    open.pop()
    const again = await start(crashed)
    expect((await describeTransaction(again, 'p')).transactionState).toBe('CompleteCommit')
    expect((await readCommitted(again, 't')).values).toEqual(['a=1'])
    expect(await positionOf(again, 'g', 't')).toBe(5)
  })

  test('while the disk is full transactions wait, and go on when there is room', async () => {
    const disk = new MemoryDisk()
    const channel = await start(disk)
    const producer = new TransactionalProducer(channel, 'p', version)
    await producer.init()
    await producer.send('t', ['a=1'])
    disk.capacityBytes = disk.usedBytes
    expect(await producer.end(true)).toBe('COORDINATOR_NOT_AVAILABLE')
    // There is room for the decision, but not for the marker.
    disk.capacityBytes += 200
    expect(await producer.end(true)).toBe('NONE')
    expect((await describeTransaction(channel, 'p')).transactionState).toBe('PrepareCommit')
    disk.capacityBytes = Number.POSITIVE_INFINITY
    for (let i = 0; i < 3; i++) {
      clock.advance(1000)
      await settle()
    }
    expect((await describeTransaction(channel, 'p')).transactionState).toBe('CompleteCommit')
    expect((await readCommitted(channel, 't')).values).toEqual(['a=1'])
    expect(await producer.send('t', ['a=2'])).toBe('NONE')
  })
})

test('a producer that does not say where it writes is refused in version 1', async () => {
  const channel = await start()
  const producer = new TransactionalProducer(channel, 'p', 1)
  await producer.init()
  expect(await producer.produce('t', ['a=1'], 0, 9)).toBe('INVALID_TXN_STATE')
  expect(await producer.produce('t', ['a=1'], 0, 11)).toBe('TRANSACTION_ABORTABLE')
  expect(await producer.add('nowhere')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await producer.add('t')).toBe('NONE')
  expect(await producer.produce('t', ['a=1'], 0, 9)).toBe('NONE')
  expect(await producer.end(true)).toBe('NONE')
  await settle()
  expect((await readCommitted(channel, 't')).values).toEqual(['a=1'])
})

test('in the midst of its transaction a producer writes nothing outside of it', async () => {
  const channel = await start()
  const producer = new TransactionalProducer(channel, 'p')
  await producer.init()
  await producer.send('t', ['a=1'])
  const { producerId, producerEpoch } = producer
  const produce = async (transactional: boolean, transactionalId: string | null): Promise<string> => {
    const records = batchOf([{ key: 'a', value: 'a=2', timestamp: 1000 }], { producerId, producerEpoch, baseSequence: 1, transactional })
    const { responses } = await channel.request('Produce', { transactionalId, acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 12 })
    return errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)
  }
  expect(await produce(false, 'p')).toBe('INVALID_TXN_STATE')
  expect(await produce(true, null)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  expect(await produce(true, 'other')).toBe('INVALID_PRODUCER_ID_MAPPING')
  expect(await produce(true, 'p')).toBe('NONE')
})

test('timeouts that are too long, names that are empty and identities by halves are refused', async () => {
  const channel = await start()
  const init = async (request: object): Promise<string> => errorNameOf((await channel.request('InitProducerId', { transactionalId: 'p', transactionTimeoutMs: 1000, ...request }, { version: 5 })).errorCode)
  expect(await init({})).toBe('NOT_COORDINATOR')
  expect(await new TransactionalProducer(channel, 'q').init()).toBe('NONE')
  expect(await init({ transactionTimeoutMs: 900_001 })).toBe('INVALID_TRANSACTION_TIMEOUT')
  expect(await init({ transactionTimeoutMs: 0 })).toBe('INVALID_TRANSACTION_TIMEOUT')
  expect(await init({ transactionalId: '' })).toBe('INVALID_REQUEST')
  expect(await init({ producerId: 3 })).toBe('INVALID_REQUEST')
  expect(await init({ producerEpoch: 3 })).toBe('INVALID_REQUEST')
  expect(await init({ transactionalId: null })).toBe('NONE')
})

test('a producer goes on after an error with the epoch it had, and only with that', async () => {
  const channel = await start()
  const producer = new TransactionalProducer(channel, 'p', 1)
  await producer.init()
  const current = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
  expect(await producer.init({ current })).toBe('NONE')
  expect(producer.producerEpoch).toBe(current.producerEpoch + 1)
  expect(await producer.init({ current })).toBe('NONE')
  expect(producer.producerEpoch).toBe(current.producerEpoch + 1)
  expect(await producer.init()).toBe('NONE')
  expect(await producer.init({ current })).toBe('PRODUCER_FENCED')
  expect(await producer.init({ current, version: 3 })).toBe('INVALID_PRODUCER_EPOCH')
})

test('a consumer that waits for committed records wakes up at the commit, not before', async () => {
  const channel = await start()
  const producer = new TransactionalProducer(channel, 'p')
  await producer.init()
  let isAnswered = false
  const fetching = channel.request('Fetch', { maxWaitMs: 60_000, minBytes: 1, isolationLevel: 1, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }] }, { version: 11 })
  void fetching.then(() => (isAnswered = true))
  await producer.send('t', ['a=1'])
  await settle()
  expect(isAnswered).toBe(false)
  await producer.end(true)
  expect((await fetching).responses[0]!.partitions[0]).toMatchObject({ lastStableOffset: 2, highWatermark: 2 })
  const latest = async (isolationLevel: number): Promise<number> => (await channel.request('ListOffsets', { replicaId: -1, isolationLevel, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }, { version: 7 })).topics[0]!.partitions[0]!.offset
  await producer.send('t', ['a=2'])
  expect([await latest(0), await latest(1)]).toEqual([3, 2])
})

test('admins list and describe transactions and producers, and end what hangs', async () => {
  const channel = await start()
  const producer = new TransactionalProducer(channel, 'p-1', 1)
  await producer.init()
  await producer.send('t', ['a=1'])
  const other = new TransactionalProducer(channel, 'q', 1)
  await other.init()
  clock.advance(5000)
  const ask = (request: Partial<RequestInput<'ListTransactions'>>) => channel.request('ListTransactions', { stateFilters: [], producerIdFilters: [], ...request }, { version: 2 })
  const list = async (request: Parameters<typeof ask>[0]): Promise<readonly string[]> => (await ask(request)).transactionStates.map(({ transactionalId, transactionState }) => `${transactionalId} ${transactionState}`)
  expect(await list({})).toEqual(['p-1 Ongoing', 'q Empty'])
  expect(await list({ stateFilters: ['Ongoing', 'Odd'] })).toEqual(['p-1 Ongoing'])
  expect(await list({ producerIdFilters: [other.producerId] })).toEqual(['q Empty'])
  expect(await list({ durationFilter: 4000 })).toEqual(['p-1 Ongoing', 'q Empty'])
  expect(await list({ durationFilter: 6000 })).toEqual(['q Empty'])
  expect(await list({ transactionalIdPattern: 'p-.*' })).toEqual(['p-1 Ongoing'])
  expect((await ask({ stateFilters: ['Odd'] })).unknownStateFilters).toEqual(['Odd'])
  expect(errorNameOf((await ask({ transactionalIdPattern: '(' })).errorCode)).toBe('INVALID_REGULAR_EXPRESSION')
  expect(errorNameOf((await describeTransaction(channel, 'nobody')).errorCode)).toBe('TRANSACTIONAL_ID_NOT_FOUND')

  const active = async () => (await channel.request('DescribeProducers', { topics: [{ name: 't', partitionIndexes: [0] }] })).topics[0]!.partitions[0]!.activeProducers
  const { producerId, producerEpoch } = producer
  expect(await active()).toEqual([{ producerId, producerEpoch, lastSequence: 0, lastTimestamp: 1000, coordinatorEpoch: -1, currentTxnStartOffset: 0 }])
  const mark = async (coordinatorEpoch: number): Promise<string> => {
    const { markers } = await channel.request('WriteTxnMarkers', { markers: [{ producerId, producerEpoch, transactionResult: false, coordinatorEpoch, topics: [{ name: 't', partitionIndexes: [0] }] }] })
    return errorNameOf(markers[0]!.topics[0]!.partitions[0]!.errorCode)
  }
  expect(await mark(7)).toBe('NONE')
  expect(await mark(6)).toBe('TRANSACTION_COORDINATOR_FENCED')
  expect(await active()).toMatchObject([{ coordinatorEpoch: 7, currentTxnStartOffset: -1 }])
  expect((await readCommitted(channel, 't')).lastStableOffset).toBe(2)
})

test('transactional ids that are idle for long are forgotten', async () => {
  const channel = await start(new MemoryDisk(), { 'transactional.id.expiration.ms': 7_200_000 })
  const producer = new TransactionalProducer(channel, 'p')
  await producer.init()
  clock.advance(7_000_000)
  expect((await describeTransaction(channel, 'p')).errorCode).toBe(0)
  clock.advance(3_800_000)
  expect(errorNameOf((await describeTransaction(channel, 'p')).errorCode)).toBe('TRANSACTIONAL_ID_NOT_FOUND')
  expect(await producer.send('t', ['a=1'])).toBe('INVALID_PRODUCER_ID_MAPPING')
})

test('clients are told of transaction.version 2', async () => {
  const channel = await start()
  const features = async (version: number) => {
    const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await channel.request('ApiVersions', { clientSoftwareName: 'c', clientSoftwareVersion: '1' }, { version })
    const of = <F extends { readonly name: string }>(list: readonly F[]): F | undefined => list.find(({ name }) => name === 'transaction.version')
    return [of(supportedFeatures)?.minVersion, of(supportedFeatures)?.maxVersion, of(finalizedFeatures)?.maxVersionLevel, finalizedFeaturesEpoch]
  }
  expect(await features(4)).toEqual([0, 2, 2, 0])
  expect(await features(3)).toEqual([1, 2, 2, 0])
})

test('of two positions for one place the later record holds, whichever transaction ends first, and after a restart too', async () => {
  const disk = new MemoryDisk()
  const channel = await start(disk)
  const [first, second] = [new TransactionalProducer(channel, 'p'), new TransactionalProducer(channel, 'q')]
  for (const producer of [first, second]) await producer.init()
  const commit = { groupId: 'g', topic: 't' }
  await first.commitOffset({ ...commit, offset: 5 })
  await second.commitOffset({ ...commit, offset: 7 })
  await second.end(true)
  await first.end(true)
  await settle()
  expect(await positionOf(channel, 'g', 't')).toBe(7)
  await first.commitOffset({ ...commit, offset: 8 })
  await channel.request('OffsetCommit', { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 9, committedMetadata: '' }] }] }, { version: 9 })
  expect(await positionOf(channel, 'g', 't')).toBe('UNSTABLE_OFFSET_COMMIT')
  await first.end(true)
  await settle()
  expect(await positionOf(channel, 'g', 't')).toBe(9)
  await open.pop()!.close()
  expect(await positionOf(await start(disk), 'g', 't')).toBe(9)
})

test('a group with positions in an open transaction does not expire; deleted, it forgets them, as in Kafka', async () => {
  const channel = await start(new MemoryDisk(), { 'offsets.retention.minutes': 1, 'offsets.retention.check.interval.ms': 10_000 })
  const producer = new TransactionalProducer(channel, 'p')
  await producer.init({ timeoutMs: 900_000 })
  const commit = { groupId: 'g', topic: 't' }
  await producer.commitOffset({ ...commit, offset: 5 })
  for (let i = 0; i < 20; i++) {
    clock.advance(10_000)
    await settle()
  }
  const listed = async () => (await channel.request('ListGroups', {})).groups.map(({ groupId }) => groupId)
  expect(await listed()).toEqual(['g'])
  await producer.end(true)
  await settle()
  expect(await positionOf(channel, 'g', 't')).toBe(5)
  await producer.commitOffset({ ...commit, offset: 6 })
  const { results } = await channel.request('DeleteGroups', { groupsNames: ['g'] })
  expect(results).toMatchObject([{ errorCode: 0 }])
  await producer.end(true)
  await settle()
  expect([await listed(), await positionOf(channel, 'g', 't')]).toEqual([[], -1])
})

test('a transaction of which a power cut has left its records but not its coordinator\'s is aborted by the next start', async () => {
  const disk = new MemoryDisk()
  const channel = await start(disk, { 'millrace.flush': 'os' })
  await new TransactionalProducer(channel, 'p').init()
  // So far everything is on the medium.
  await open.pop()!.close()
  const again = await start(disk, { 'millrace.flush': 'os' })
  const writer = new TransactionalProducer(again, 'p')
  await writer.init()
  await writer.send('t', ['a=1'])
  await writer.commitOffset({ groupId: 'g', topic: 't', offset: 5 })
  open.pop()
  const channelAfter = await start(disk.crash(({ path, synced, size }) => ({ keep: path.startsWith('__transaction_state') ? synced : size })))
  await settle()
  const seen = await readCommitted(channelAfter, 't')
  expect([seen.values, seen.nextOffset]).toEqual([[], 2])
  expect(await positionOf(channelAfter, 'g', 't')).toBe(-1)
  const next = new TransactionalProducer(channelAfter, 'p')
  await next.init()
  expect(await next.send('t', ['a=2'])).toBe('NONE')
})

/** A producer's batch and its coordinator's record were under way together, and the power cut has left the batch alone. */
async function wentAhead(): Promise<{ readonly producer: TransactionalProducer; readonly disk: MemoryDisk }> {
  const disk = new MemoryDisk()
  const producer = new TransactionalProducer(await start(disk), 'p')
  await producer.init()
  disk.syncGate = new Promise(() => {})
  void producer.send('t', ['a=1'])
  await settle()
  open.pop()
  return { producer, disk: disk.crash(({ path, synced, size }) => ({ keep: path.startsWith('t-') ? size : synced })) }
}

test('what a power cut has left of a producer that went ahead of its coordinator is not taken for what it sends again', async () => {
  const { producer, disk } = await wentAhead()
  const channelAfter = await start(disk)
  expect(await readAll(channelAfter, 't')).toEqual(['a=1'])
  const again = producer.on(channelAfter)
  // Its client aborts then.
  expect([await again.send('t', ['a=1']), await again.end(false)]).toEqual(['INVALID_PRODUCER_EPOCH', 'NONE'])
  await settle()
  expect([await again.send('t', ['a=1']), await again.end(true)]).toEqual(['NONE', 'NONE'])
  await settle()
  expect((await readCommitted(channelAfter, 't')).values).toEqual(['a=1'])
  expect(await readAll(channelAfter, 't')).toEqual(['a=1', 'a=1'])
})

test('until such records are aborted their producer is told to wait, not that what it sends again is there', async () => {
  const { producer, disk } = await wentAhead()
  let isFailing = true
  const again = producer.on(await start(refusingDisk(disk, ({ name, path }) => isFailing && name === 'append' && path.startsWith('t-'))))
  expect(await again.send('t', ['a=1'])).toBe('NOT_ENOUGH_REPLICAS')
  isFailing = false
  clock.advance(1000)
  await settle()
  expect(await again.send('t', ['a=1'])).toBe('INVALID_PRODUCER_EPOCH')
})

test('a producer that goes ahead of its coordinator is acknowledged when both are durable', async () => {
  const gate = { isOpen: Promise.resolve() }
  const disk = slowDisk(new MemoryDisk(), path => path.startsWith('__transaction_state'), gate)
  const channel = await start(disk)
  const producer = new TransactionalProducer(channel, 'p')
  await producer.init()
  let open = (): void => {}
  gate.isOpen = new Promise(resolve => (open = resolve))
  let answered: string | null = null
  const sent = producer.send('t', ['a=1']).then(error => (answered = error))
  await settle()
  expect([await readAll(channel, 't'), answered]).toEqual([['a=1'], null])
  open()
  expect([await sent, await producer.end(true)]).toEqual(['NONE', 'NONE'])
})
