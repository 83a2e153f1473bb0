// What a story knows to exist, learned from Apache Kafka's answers: so that most of what it asks next makes sense.

import type { Random } from '../../../core/random.ts'
import { chance, pick } from '../../broker/server/hostile-message.ts'
import type { NumberName } from './recipe.ts'
import type { Body } from './plain-answer.ts'
import type { Step } from './storyteller.ts'

export interface Topic {
  name: string
  partitions: number
  /** Of the newest with that name. */
  idName: string
  /** What a partition's next offset is thought to be. */
  readonly ends: number[]
}

export interface Producer {
  readonly id: NumberName | number
  epoch: number
  readonly transactionalId: string | null
  /** By topic and partition. */
  readonly sequences: Map<string, number>
  /** Partitions that were added to its transaction. */
  readonly added: Set<string>
  version: 1 | 2
}

export interface Member {
  readonly lane: number
  memberId: string
  readonly instanceId: string | null
}

export interface Group {
  generation: number
  leader: string
  protocol: string | null
  members: Member[]
}

/** One of a consumer group (KIP-848), by the name that the story gave it. */
export interface ConsumerMember {
  readonly groupId: string
  readonly memberId: string
  readonly instanceId: string | null
  epoch: number
  topicPartitions: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]
}

export const groupNames = ['~g1', '~g2', '~g3'] as const
export const consumerGroupNames = ['~c1', '~c2'] as const
/** What members of consumer groups call themselves. */
export const consumerNames = ['~m1', '~m2', '~m3'] as const
export const transactionalIds = ['~x1', '~x2', '~x3'] as const
export const topicNames = ['~a', '~b', '~c', '~d'] as const

export class World {
  readonly random: Random
  readonly topics: Map<string, Topic> = new Map()
  readonly idNames: string[] = []
  readonly producers: Producer[] = []
  readonly groups: Map<string, Group> = new Map()
  readonly members: Member[] = []
  consumers: ConsumerMember[] = []
  now: number = 1_700_000_000_000

  constructor(random: Random) {
    this.random = random
  }

  pick<T>(choices: readonly T[]): T {
    return pick(this.random, choices)
  }

  chance(oneIn: number): boolean {
    return chance(this.random, oneIn)
  }

  /** Mostly one that exists. */
  topic(): Topic {
    const known = [...this.topics.values()]
    const gone = this.idNames.filter(idName => !known.some(topic => topic.idName === idName))
    if (known.length === 0 || this.chance(25)) return { name: this.pick(['~nowhere', ...topicNames]), partitions: 1, idName: this.pick(['«topic of nobody»', ...gone]), ends: [0] }
    return this.pick(known)
  }

  partitionOf(topic: Topic): number {
    if (this.chance(30)) return this.pick([topic.partitions, -1, 100, 2 ** 31 - 1])
    return this.random.uint32() % topic.partitions
  }

  offsetIn(topic: Topic, partition: number): number {
    const end = topic.ends[partition] ?? 0
    if (this.chance(8)) return this.pick([end + 1, -1, -2, 1000, 2 ** 53 - 1, -10])
    return this.pick([0, end, Math.max(0, end - 1), this.random.uint32() % (end + 1)])
  }

  group(name: string): Group {
    let group = this.groups.get(name)
    if (group === undefined) this.groups.set(name, (group = { generation: 0, leader: '', protocol: null, members: [] }))
    return group
  }

  texts(): readonly string[] {
    return [...topicNames, ...groupNames, ...consumerGroupNames, ...transactionalIds, ...this.members.map(member => member.memberId), ...this.idNames]
  }

  /** What Apache Kafka answered. */
  learn(step: Step, answers: readonly unknown[]): void {
    step.asks.forEach(({ api, body, version, lane }, index) => {
      const answer = answers[index]
      if (typeof answer === 'object' && answer !== null) learners[api]?.({ world: this, name: `${step.id}.${index}`, id: step.id, body, version, lane, answer: answer as never })
    })
  }
}

interface Lesson {
  readonly world: World
  readonly name: string
  readonly id: number
  readonly body: Body
  readonly version: number
  readonly lane: number
  // Whatever the API answers, made plain.
  readonly answer: never
}

type TopicAnswers = { readonly topics: readonly { readonly name: string; readonly errorCode: number; readonly partitions: readonly unknown[]; readonly numPartitions: number }[] }

const learners: Readonly<Record<string, (lesson: Lesson) => void>> = {
  CreateTopics({ world, id, body, answer }) {
    if (body['validateOnly'] === true) return
    for (const { name, errorCode } of (answer as TopicAnswers).topics) if (errorCode === 0) addTopic(world, name, asked(body, name), id)
  },
  Metadata({ world, id, answer }) {
    for (const { name, partitions, errorCode } of (answer as TopicAnswers).topics) if (errorCode === 0 && name !== null) addTopic(world, name, partitions.length, id, false)
  },
  DeleteTopics({ world, answer }) {
    for (const { name, errorCode } of (answer as { responses: TopicAnswers['topics'] }).responses) if (errorCode === 0) world.topics.delete(name)
  },
  CreatePartitions({ world, body, answer }) {
    if (body['validateOnly'] === true) return
    for (const { name, errorCode } of (answer as { results: TopicAnswers['topics'] }).results) {
      const topic = world.topics.get(name)
      const wanted = (body['topics'] as readonly { name: string; count: number }[]).find(given => given.name === name)
      if (errorCode === 0 && topic && wanted) topic.partitions = wanted.count
    }
  },
  Produce({ world, answer, body }) {
    type Answer = { responses: { name?: string; topicId?: string; partitionResponses: { index: number; errorCode: number; baseOffset: number }[] }[] }
    for (const { name, topicId, partitionResponses } of (answer as Answer).responses) {
      const topic = [...world.topics.values()].find(known => (name !== undefined && name !== '' ? known.name === name : known.idName === topicId))
      for (const { index, errorCode, baseOffset } of partitionResponses) if (topic && errorCode === 0) topic.ends[index] = Math.max(topic.ends[index] ?? 0, baseOffset + 1)
    }
    void body
  },
  InitProducerId({ world, name, body, answer }) {
    const { errorCode, producerId, producerEpoch } = answer as { errorCode: number; producerId: string; producerEpoch: number }
    if (errorCode !== 0) return
    world.producers.push({ id: { named: producerId ?? `producer ${name}` }, epoch: producerEpoch, transactionalId: (body['transactionalId'] as string | null) ?? null, sequences: new Map(), added: new Set(), version: world.pick([1, 2, 2]) })
    if (world.producers.length > 8) world.producers.shift()
  },
  EndTxn({ world, body, version, answer }) {
    const { errorCode, producerId, producerEpoch } = answer as { errorCode: number; producerId: string; producerEpoch: number }
    if (errorCode !== 0) return
    const ended = world.producers.find(producer => producer.transactionalId === body['transactionalId'] && JSON.stringify(producer.id) === JSON.stringify(body['producerId']))
    ended?.added.clear()
    if (ended === undefined || version < 5) return
    ended.epoch = producerEpoch
    ended.sequences.clear()
    void producerId
  },
  JoinGroup({ world, body, lane, answer }) {
    const { errorCode, memberId, generationId, leader, protocolName } = answer as { errorCode: number; memberId: string; generationId: number; leader: string; protocolName: string | null }
    const group = world.group(body['groupId'] as string)
    if (errorCode !== 0 && errorCode !== 79) return
    let member = group.members.find(known => known.memberId === memberId)
    if (member === undefined) {
      member = { lane, memberId, instanceId: (body['groupInstanceId'] as string | null | undefined) ?? null }
      group.members = [...group.members.filter(known => known.instanceId === null || known.instanceId !== member!.instanceId), member]
      world.members.push(member)
    }
    if (errorCode === 0) Object.assign(group, { generation: generationId, leader, protocol: protocolName })
  },
  ConsumerGroupHeartbeat({ world, body, answer }) {
    type Answer = { errorCode: number; memberEpoch: number; assignment: { topicPartitions: ConsumerMember['topicPartitions'] } | null }
    const { errorCode, memberEpoch, assignment } = answer as Answer
    const { groupId, memberId, instanceId } = body as { groupId: string; memberId: string; instanceId: string | null }
    const known = world.consumers.find(member => member.groupId === groupId && member.memberId === memberId)
    const isOut = errorCode === 25 || errorCode === 110 || (errorCode === 0 && memberEpoch < 0)
    if (isOut) world.consumers = world.consumers.filter(member => member !== known)
    if (errorCode !== 0 || memberEpoch < 0) return
    const member = known ?? { groupId, memberId, instanceId, epoch: 0, topicPartitions: [] }
    if (known === undefined) world.consumers.push(member)
    member.epoch = memberEpoch
    if (assignment !== null) member.topicPartitions = assignment.topicPartitions
  },
  LeaveGroup({ world, body, answer }) {
    const { errorCode, members } = answer as { errorCode: number; members?: readonly { memberId: string; groupInstanceId: string | null; errorCode: number }[] }
    if (errorCode !== 0) return
    const group = world.group(body['groupId'] as string)
    const gone = (members ?? []).filter(member => member.errorCode === 0)
    group.members = group.members.filter(({ memberId, instanceId }) => memberId !== body['memberId'] && !gone.some(member => member.memberId === memberId || (instanceId !== null && member.groupInstanceId === instanceId)))
  },
}

function asked(body: Body, name: string): number {
  const wanted = (body['topics'] as readonly { name: string; numPartitions: number; assignments: readonly unknown[] }[]).find(topic => topic.name === name)
  return wanted === undefined ? 1 : wanted.assignments.length > 0 ? wanted.assignments.length : Math.max(1, wanted.numPartitions)
}

function addTopic(world: World, name: string, partitions: number, id: number, isNew = true): void {
  const known = world.topics.get(name)
  if (known !== undefined && !isNew) return
  const idName = `«topic ${id} ${name}»`
  world.topics.set(name, { name, partitions, idName, ends: [] })
  world.idNames.push(idName)
}
