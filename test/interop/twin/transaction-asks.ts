// Questions of transactional producers and of those who look after them.

import type { Body } from './plain-answer.ts'
import { many } from './record-asks.ts'
import { groupNames, transactionalIds, type Producer, type World } from './world.ts'

/** Versions that the two ways of transactions speak; undefined: any. */
export interface VersionedAsk {
  readonly body: Body
  readonly version?: number | undefined
}

export function initProducerIdAsk(world: World): Body {
  const transactionalId = world.chance(3) ? null : world.pick(transactionalIds)
  const known = world.producers.filter(producer => producer.transactionalId === transactionalId)
  const goesOn = known.length > 0 && world.chance(3) ? world.pick(known) : null
  return {
    transactionalId, transactionTimeoutMs: world.chance(10) ? world.pick([0, -1, 900_000, 900_001, 2 ** 31 - 1]) : 60_000,
    producerId: goesOn?.id ?? -1, producerEpoch: goesOn === null ? (world.chance(20) ? 0 : -1) : world.chance(5) ? goesOn.epoch - 1 : goesOn.epoch,
  }
}

function producerFor(world: World): Producer {
  const transactional = world.producers.filter(producer => producer.transactionalId !== null)
  const latest = transactional.filter(producer => !transactional.slice(transactional.indexOf(producer) + 1).some(later => later.transactionalId === producer.transactionalId))
  if (transactional.length === 0) return { id: 77_777, epoch: 0, transactionalId: world.pick(transactionalIds), sequences: new Map(), added: new Set(), version: 1 }
  return world.pick(world.chance(6) ? transactional : latest)
}

function epochOf(world: World, producer: Producer): number {
  return world.chance(12) ? world.pick([producer.epoch - 1, producer.epoch + 1, -1, 0]) : producer.epoch
}

export function addPartitionsAsk(world: World): VersionedAsk {
  const producer = producerFor(world)
  const topics = many(world, () => world.topic()).map(topic => ({ name: topic.name, partitions: many(world, () => world.partitionOf(topic)) }))
  const producerEpoch = epochOf(world, producer)
  const body = {
    v3AndBelowTransactionalId: producer.transactionalId, v3AndBelowProducerId: producer.id, v3AndBelowProducerEpoch: producerEpoch, v3AndBelowTopics: topics,
    transactions: [{ transactionalId: producer.transactionalId, producerId: producer.id, producerEpoch, verifyOnly: world.chance(3), topics }],
  }
  return { body, version: world.chance(4) ? world.pick([4, 5]) : world.pick([0, 1, 2, 3]) }
}

export function addOffsetsAsk(world: World): Body {
  const producer = producerFor(world)
  return { transactionalId: producer.transactionalId, producerId: producer.id, producerEpoch: epochOf(world, producer), groupId: world.pick(groupNames) }
}

export function endTxnAsk(world: World): VersionedAsk {
  const producer = producerFor(world)
  return { body: { transactionalId: producer.transactionalId, producerId: producer.id, producerEpoch: epochOf(world, producer), committed: !world.chance(3) }, version: producer.version === 2 && !world.chance(8) ? 5 : world.chance(10) ? 5 : world.pick([0, 1, 2, 3, 4]) }
}

export function txnOffsetCommitAsk(world: World): VersionedAsk {
  const producer = producerFor(world)
  const consumer = world.consumers.length > 0 && world.chance(3) ? world.pick(world.consumers) : null
  const groupId = consumer?.groupId ?? world.pick(groupNames)
  const group = world.group(groupId)
  const member = consumer ?? (group.members.length > 0 && world.chance(2) ? world.pick(group.members) : null)
  const body = {
    transactionalId: producer.transactionalId, groupId, producerId: producer.id, producerEpoch: epochOf(world, producer),
    generationId: member === null ? (world.chance(10) ? 1 : -1) : consumer?.epoch ?? group.generation, memberId: member?.memberId ?? '', groupInstanceId: member?.instanceId ?? null,
    topics: many(world, () => world.topic()).map(topic => ({ name: topic.name, partitions: many(world, () => world.partitionOf(topic)).map(partitionIndex => ({ partitionIndex, committedOffset: world.random.uint32() % 20, committedLeaderEpoch: -1, committedMetadata: world.pick(['', 'm', null]) })) })),
  }
  return { body, version: producer.version === 2 && !world.chance(8) ? 5 : world.pick([0, 1, 2, 3, 4]) }
}

export function writeTxnMarkersAsk(world: World): Body {
  const producer = producerFor(world)
  return { markers: [{ producerId: producer.id, producerEpoch: epochOf(world, producer), transactionResult: world.chance(2), coordinatorEpoch: world.pick([0, 0, -1]), transactionVersion: world.pick([0, 1, 2]), topics: many(world, () => world.topic()).map(topic => ({ name: topic.name, partitionIndexes: many(world, () => world.partitionOf(topic)) })) }] }
}

export function describeTransactionsAsk(world: World): Body {
  return { transactionalIds: many(world, () => world.pick([...transactionalIds, '~nothing', ''])) }
}

export function listTransactionsAsk(world: World): Body {
  return { stateFilters: world.chance(2) ? [world.pick(['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort', 'ongoing', 'Nonsense', 'Dead'])] : [], producerIdFilters: world.chance(4) && world.producers.length > 0 ? [world.pick(world.producers).id] : [], durationFilter: world.chance(4) ? world.pick([0, 1_000_000]) : -1, transactionalIdPattern: world.chance(4) ? world.pick(['', '.*x1', '.*', '(', '~x1']) : null }
}
