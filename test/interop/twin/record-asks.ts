// Questions about records: produce, fetch, offsets by time and epoch, deletion up to an offset.

import { canDecompress } from '../../../broker/wire/compression.ts'
import { damages, type BatchRecipe, type RecordRecipe } from './recipe.ts'
import type { Body } from './plain-answer.ts'
import type { Producer, Topic, World } from './world.ts'

export function produceAsk(world: World): Body {
  const producer = world.producers.length > 0 && !world.chance(3) ? world.pick(world.producers) : null
  const topics = many(world, () => world.topic())
  const isTransactional = producer !== null && producer.transactionalId !== null
  return {
    transactionalId: isTransactional ? (world.chance(15) ? world.pick([null, '~x1', '~x2']) : producer.transactionalId) : world.chance(40) ? '~x1' : null,
    acks: world.pick([-1, -1, -1, -1, -1, 1, 1, ...(world.chance(6) ? [0] : []), ...(world.chance(10) ? [2, -2] : [])]),
    timeoutMs: 5000,
    topicData: topics.map(topic => ({
      name: topic.name, topicId: topic.idName,
      partitionData: many(world, () => world.partitionOf(topic)).map(index => ({ index, records: { batch: batchFor(world, producer, topic, index) } })),
    })),
  }
}

function batchFor(world: World, producer: Producer | null, topic: Topic, partition: number): BatchRecipe {
  const records = recordsFor(world)
  const key = `${topic.name}/${partition}`
  const common = { records, codec: world.pick(codecs), ...(world.chance(20) ? { leaderEpoch: world.pick([0, 5]) } : {}), ...(world.chance(20) ? { baseOffset: world.pick([5, -1, 100]) } : {}) }
  const damage = world.chance(6) ? { damage: world.pick(Object.keys(damages)) } : {}
  const next = world.chance(30) ? { next: { records: recordsFor(world), codec: world.pick(codecs) } } : {}
  const odd = { ...damage, ...next, ...(world.chance(50) ? { control: true } : {}) }
  if (producer === null) return { ...common, ...odd, ...(world.chance(40) ? { baseSequence: 0 } : {}) }
  const sequence = producer.sequences.get(key) ?? 0
  const wrong = world.chance(7)
  const baseSequence = wrong ? world.pick([sequence + 1, Math.max(0, sequence - 1), 0, -1, 2 ** 31 - 1, 5]) : sequence
  const producerEpoch = world.chance(15) ? world.pick([Math.max(0, producer.epoch - 1), producer.epoch + 1]) : producer.epoch
  const transactional = world.chance(20) ? producer.transactionalId === null : producer.transactionalId !== null
  if (!wrong && producerEpoch === producer.epoch && damage.damage === undefined && records.length > 0 && !world.chance(15)) producer.sequences.set(key, sequence + records.length)
  return { ...common, ...odd, producerId: world.chance(40) ? 55_555 : producer.id, producerEpoch, baseSequence, transactional }
}

const codecs: readonly number[] = [0, 0, 0, 1, 2, 3, ...(canDecompress(4) ? [4] : [])]

function recordsFor(world: World): readonly RecordRecipe[] {
  if (world.chance(60)) return []
  const filler = world.chance(2) ? 'filler '.repeat(10) : ''
  return Array.from({ length: world.pick([1, 1, 2, 3, 5]) }, () => ({
    key: world.chance(5) ? null : `k${world.random.uint32() % 4}`,
    value: world.chance(8) ? null : `v${world.random.uint32() % 1000}${filler}`,
    timestamp: timestampFor(world),
    ...(world.chance(5) ? { headers: [['h', world.chance(3) ? null : 'x']] as const } : {}),
  }))
}

function timestampFor(world: World): number {
  if (world.chance(40)) return world.pick([-1, 0, -5, 4_000_000_000_000, 1_000_000_000_000])
  return (world.now += world.pick([1, 10, 0, 1000, -500]))
}

export function fetchAsk(world: World): Body {
  return {
    maxWaitMs: 0, minBytes: world.pick([0, 1, 1]), maxBytes: world.chance(6) ? world.pick([0, 1, 100]) : 10_000_000, isolationLevel: world.pick([0, 1]), forgottenTopicsData: [],
    ...(world.chance(12) ? world.pick([{ sessionId: 0, sessionEpoch: 0 }, { sessionId: 0, sessionEpoch: 1 }, { sessionId: 123_456, sessionEpoch: 1 }, { sessionId: 123_456, sessionEpoch: -1 }]) : { sessionId: 0, sessionEpoch: -1 }),
    ...(world.chance(30) ? { replicaId: world.pick([1, 5, -2]), replicaState: { replicaId: world.pick([1, 5, -2]), replicaEpoch: -1 } } : {}),
    ...(world.chance(30) ? { rackId: 'r' } : {}),
    topics: many(world, () => world.topic()).map(topic => ({
      topic: topic.name, topicId: topic.idName,
      partitions: many(world, () => world.partitionOf(topic)).map(partition => ({
        partition, currentLeaderEpoch: epochFor(world), fetchOffset: world.offsetIn(topic, partition), lastFetchedEpoch: world.chance(6) ? world.pick([0, 1, 2, -2]) : -1, logStartOffset: -1,
        partitionMaxBytes: world.chance(6) ? world.pick([0, 1, 100]) : 1_000_000,
      })),
    })),
  }
}

function epochFor(world: World): number {
  return world.chance(6) ? world.pick([0, 0, 1, 5, -2]) : -1
}

export function listOffsetsAsk(world: World): Body {
  return {
    replicaId: world.chance(20) ? world.pick([-2, 1, 5, -3]) : -1, isolationLevel: world.pick([0, 1]), timeoutMs: 5000,
    topics: many(world, () => world.topic()).map(({ name, ...topic }) => ({
      name, partitions: many(world, () => world.partitionOf({ name, ...topic })).map(partitionIndex => ({
        partitionIndex, currentLeaderEpoch: epochFor(world), timestamp: world.pick([-1, -2, -3, -1, -2, -4, -5, -6, -7, 0, world.now, world.now - 1000, 1_700_000_000_000, 5_000_000_000_000]),
      })),
    })),
  }
}

export function deleteRecordsAsk(world: World): Body {
  return { timeoutMs: 5000, topics: many(world, () => world.topic()).map(topic => ({ name: topic.name, partitions: many(world, () => world.partitionOf(topic)).map(partitionIndex => ({ partitionIndex, offset: world.offsetIn(topic, partitionIndex) })) })) }
}

export function offsetForLeaderEpochAsk(world: World): Body {
  return {
    replicaId: world.pick([-1, -1, -1, -2, 1]),
    topics: many(world, () => world.topic()).map(topic => ({ topic: topic.name, partitions: many(world, () => world.partitionOf(topic)).map(partition => ({ partition, currentLeaderEpoch: epochFor(world), leaderEpoch: world.pick([0, 0, 0, 1, -1, 5, -2]) })) })),
  }
}

export function describeProducersAsk(world: World): Body {
  return { topics: many(world, () => world.topic()).map(topic => ({ name: topic.name, partitionIndexes: many(world, () => world.partitionOf(topic)) })) }
}

/** Mostly one, sometimes two that differ; what is asked for twice in one request is one of the odd things of nearly-valid.ts. */
export function many<T>(world: World, make: () => T): T[] {
  const first = make()
  if (world.chance(4)) {
    const second = make()
    return nameIn(first) === nameIn(second) ? [first] : [first, second]
  }
  return [first]
}

function nameIn(made: unknown): unknown {
  if (typeof made !== 'object' || made === null) return made
  const { name, topic, resourceName, index, partition, partitionIndex } = made as Readonly<Record<string, unknown>>
  return name ?? topic ?? resourceName ?? index ?? partition ?? partitionIndex ?? JSON.stringify(made)
}
