// A story of groups, told to any broker request by request: odd corners of both protocols, members of both in one group, offsets. The answers are kept for comparison.

import type { ApiName, RequestInput, ResponseOf } from '../../broker/wire/apis.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { ZERO_UUID } from '../../broker/wire/defaults.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../broker/wire/records/consumer-protocol.ts'
import { decodeVersioned, encodeVersioned } from '../../broker/wire/versioned.ts'
import { sleep, systemClock } from '../../core/clock.ts'

/** One answer, without what differs between any two brokers. */
export interface Told {
  readonly asked: string
  readonly answer: unknown
}

/** The topics `a` (4 partitions) and `b` (2) are there, and coordinators are found. */
export async function tellGroupStory(channel: Channel, other: Channel): Promise<readonly Told[]> {
  const { topics } = await channel.request('Metadata', { topics: [{ name: 'a' }, { name: 'b' }] }, { version: 12 })
  const teller = new Teller(channel, other, new Map(topics.map(({ name, topicId }) => [name!, topicId])))
  for (const chapter of chapters) await chapter(teller)
  return teller.told
}

type Answer<N extends ApiName> = Promise<ResponseOf<N>>

const chapters: readonly ((teller: Teller) => Promise<void>)[] = [
  classicRefusals, joinsAgain, staticMembers, leaving, syncing, describing, namesOfGroups,
  modernRefusals, modernStatic, modernDynamic, upgrade, classicInModern, downgrade, downgradeByStatic, refusedMigrations,
  commits, fetches, deletions, groupConfigs,
]

class Teller {
  readonly told: Told[] = []
  readonly #channel: Channel
  /** For a question whose answer waits: a connection's next one would wait for it. */
  readonly #other: Channel
  readonly topicIds: ReadonlyMap<string, string>
  readonly #members = new Map<string, string>()

  constructor(channel: Channel, other: Channel, topicIds: ReadonlyMap<string, string>) {
    this.#channel = channel
    this.#other = other
    this.topicIds = topicIds
  }

  ask<N extends ApiName>(asked: string, api: N, version: number, body: RequestInput<N>): Answer<N> {
    return this.#ask(this.#channel, asked, api, version, body)
  }

  /** What is answered later is told in the order of the questions. */
  askAside<N extends ApiName>(asked: string, api: N, version: number, body: RequestInput<N>): Answer<N> {
    return this.#ask(this.#other, asked, api, version, body)
  }

  async #ask<N extends ApiName>(channel: Channel, asked: string, api: N, version: number, body: RequestInput<N>): Answer<N> {
    const at = this.told.push({ asked: `${asked} (${api} ${version})`, answer: 'none' }) - 1
    const answer = await channel.request(api, body, { version })
    this.told[at] = { ...this.told[at]!, answer: this.#plain(answer) }
    return answer
  }

  /** Asks again until it is so; only what is said last is told. */
  async until<N extends ApiName>(asked: string, api: N, version: number, body: () => RequestInput<N>, isSo: (answer: ResponseOf<N>) => boolean): Answer<N> {
    for (let tries = 0; ; tries++) {
      const answer = await this.#channel.request(api, body(), { version })
      if (isSo(answer) || tries === 100) {
        this.told.push({ asked: `${asked} (${api} ${version})`, answer: this.#plain(answer) })
        return answer
      }
      await sleep(systemClock, 50)
    }
  }

  #plain(value: unknown, name = ''): unknown {
    if (Array.isArray(value)) return value.map(part => this.#plain(part, name)).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    if (value instanceof Uint8Array) return name === 'memberAssignment' || name === 'assignment' ? assigned(Buffer.from(value)) : value.length
    if (name === 'topicId') return value !== ZERO_UUID
    if (name === 'errorMessage') return value !== null
    if (name === 'leader' || name === 'memberId') return this.#memberName(value)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'throttleTimeMs' && key !== 'clientId' && key !== 'clientHost').map(([key, part]) => [key, this.#plain(part, key)]))
  }

  #memberName(id: unknown): unknown {
    if (typeof id !== 'string' || id.length < 20) return id
    const known = this.#members.get(id) ?? `member ${this.#members.size + 1}`
    this.#members.set(id, known)
    return known
  }
}

function assigned(bytes: Buffer): unknown {
  if (bytes.length < 6) return bytes.length
  const { assignedPartitions } = decodeVersioned(consumerProtocolAssignment, bytes)
  return [bytes.readInt16BE(0), ...assignedPartitions.map(({ topic, partitions }) => `${topic}: ${[...partitions].sort((a, b) => a - b).join(' ')}`).sort()]
}

// ─── what members say ───

interface Join {
  readonly memberId?: string
  readonly instance?: string | null
  readonly protocols?: readonly string[]
  readonly topics?: readonly string[]
  readonly owned?: readonly (readonly [topic: string, partitions: readonly number[]])[]
  readonly metadata?: Buffer
  readonly type?: string
  readonly sessionTimeoutMs?: number
}

function joining(groupId: string, { memberId = '', instance = null, protocols = ['range'], topics = ['a'], owned = [], metadata, type = 'consumer', sessionTimeoutMs = 30_000 }: Join = {}): RequestInput<'JoinGroup'> {
  const subscription = metadata ?? encodeVersioned(consumerProtocolSubscription, 3, { topics, userData: null, ownedPartitions: owned.map(([topic, partitions]) => ({ topic, partitions })), generationId: -1, rackId: null })
  return { groupId, memberId, groupInstanceId: instance, sessionTimeoutMs, rebalanceTimeoutMs: 30_000, protocolType: type, protocols: protocols.map(name => ({ name, metadata: subscription })) }
}

function assigning(...shares: readonly (readonly [memberId: string, topic: string, partitions: readonly number[]])[]): RequestInput<'SyncGroup'>['assignments'] {
  return shares.map(([memberId, topic, partitions]) => ({ memberId, assignment: encodeVersioned(consumerProtocolAssignment, 3, { assignedPartitions: [{ topic, partitions }], userData: null }) }))
}

function sharing(groupId: string, memberId: string, generationId: number, more: Partial<RequestInput<'SyncGroup'>> = {}): RequestInput<'SyncGroup'> {
  return { groupId, memberId, generationId, groupInstanceId: null, protocolType: 'consumer', protocolName: 'range', assignments: [], ...more }
}

interface Beat {
  readonly instance?: string | null
  readonly topics?: readonly string[] | null
  readonly regex?: string | null
  readonly owned?: RequestInput<'ConsumerGroupHeartbeat'>['topicPartitions']
  readonly rebalanceTimeoutMs?: number
  readonly assignor?: string | null
  readonly rack?: string | null
}

function beating(groupId: string, memberId: string, memberEpoch: number, { instance = null, topics, regex = null, owned, rebalanceTimeoutMs, assignor = null, rack = null }: Beat = {}): RequestInput<'ConsumerGroupHeartbeat'> {
  const isJoin = memberEpoch === 0
  return {
    groupId, memberId, memberEpoch, instanceId: instance, rackId: rack, rebalanceTimeoutMs: rebalanceTimeoutMs ?? (isJoin ? 30_000 : -1), serverAssignor: assignor,
    subscribedTopicNames: topics !== undefined ? topics : isJoin ? ['a'] : null, subscribedTopicRegex: regex, topicPartitions: owned !== undefined ? owned : isJoin ? [] : null,
  }
}

/** Names as Java's clients make them: 22 letters. */
function uuidOf(index: number): string {
  return Buffer.from(`00112233445566${String(index).padStart(2, '0')}`, 'latin1').toString('base64url')
}

/** Joins a classic group as its only member, and shares out. */
async function alone(teller: Teller, groupId: string, more: Join = {}): Promise<{ readonly memberId: string; readonly generation: number }> {
  const first = await teller.ask(`${groupId}: joins`, 'JoinGroup', 9, joining(groupId, more))
  const memberId = first.memberId
  const second = first.errorCode === 79 ? await teller.ask(`${groupId}: joins by its name`, 'JoinGroup', 9, joining(groupId, { ...more, memberId })) : first
  await teller.ask(`${groupId}: shares out`, 'SyncGroup', 5, sharing(groupId, memberId, second.generationId, { groupInstanceId: more.instance ?? null, assignments: assigning([memberId, 'a', [0, 1, 2, 3]]) }))
  return { memberId, generation: second.generationId }
}

// ─── the classic protocol ───

async function classicRefusals(teller: Teller): Promise<void> {
  await teller.ask('an empty group', 'JoinGroup', 9, joining(''))
  await teller.ask('a session that is too short', 'JoinGroup', 9, joining('c-refused', { sessionTimeoutMs: 10 }))
  await teller.ask('a session that is too long', 'JoinGroup', 9, joining('c-refused', { sessionTimeoutMs: 10_000_000 }))
  await teller.ask('a name in a group that is not there', 'JoinGroup', 9, joining('c-refused', { memberId: 'stranger' }))
  await teller.ask('a beat in a group that is not there', 'Heartbeat', 4, { groupId: 'c-refused', memberId: 'm', generationId: 1 })
  await teller.ask('a sync in a group that is not there', 'SyncGroup', 5, sharing('c-refused', 'm', 1))
  await teller.ask('leaving a group that is not there', 'LeaveGroup', 5, { groupId: 'c-refused', members: [{ memberId: 'm' }, { memberId: '', groupInstanceId: 'i' }] })
  await teller.ask('leaving a group that is not there', 'LeaveGroup', 2, { groupId: 'c-refused', memberId: 'm' })
  await teller.ask('nobody leaves', 'LeaveGroup', 5, { groupId: 'c-refused', members: [] })
  await teller.ask('joins without a name to come back with', 'JoinGroup', 3, joining('c-old'))
  await teller.ask('no protocol', 'JoinGroup', 9, joining('c-old', { protocols: [] }))
  await teller.ask('no type of protocol', 'JoinGroup', 9, joining('c-old', { type: '' }))
  await teller.ask('an instance in a version that has none', 'JoinGroup', 5, joining('c-five', { instance: 'i' }))
  await teller.ask('groups that were refused', 'DescribeGroups', 5, { groups: ['c-refused', 'c-old', ''] })
}

async function joinsAgain(teller: Teller): Promise<void> {
  const { memberId, generation } = await alone(teller, 'c-again')
  const ask = (what: string, more: Join): Answer<'JoinGroup'> => teller.ask(`joins again ${what}`, 'JoinGroup', 9, joining('c-again', { memberId, ...more }))
  await ask('as leader of a stable group', {})
  await teller.ask('beats while it shares out', 'Heartbeat', 4, { groupId: 'c-again', memberId, generationId: generation + 1 })
  await ask('while it shares out, unchanged', {})
  await ask('while it shares out, with other protocols', { protocols: ['roundrobin', 'range'] })
  await ask('with another type of protocol', { type: 'connect' })
  await ask('without a common protocol', { protocols: ['nothing'] })
  await teller.ask('a stranger without a common protocol', 'JoinGroup', 9, joining('c-again', { protocols: ['sticky'] }))
  await teller.ask('a stranger of another type', 'JoinGroup', 9, joining('c-again', { type: 'connect' }))
  await teller.ask('a beat of a generation to come', 'Heartbeat', 4, { groupId: 'c-again', memberId, generationId: 99 })
  await teller.ask('a beat of a stranger', 'Heartbeat', 4, { groupId: 'c-again', memberId: 'nobody', generationId: 1 })
  await teller.ask('a beat with an instance that is not there', 'Heartbeat', 4, { groupId: 'c-again', memberId, generationId: 1, groupInstanceId: 'nobody' })
}

async function staticMembers(teller: Teller): Promise<void> {
  const { memberId, generation } = await alone(teller, 'c-static', { instance: 'i' })
  const old = { groupId: 'c-static', memberId, groupInstanceId: 'i' }
  await teller.ask('a beat of a static member', 'Heartbeat', 4, { ...old, generationId: generation })
  const next = await teller.ask('its process comes back', 'JoinGroup', 9, joining('c-static', { instance: 'i' }))
  await teller.ask('a beat of the one before', 'Heartbeat', 4, { ...old, generationId: generation })
  await teller.ask('a sync of the one before', 'SyncGroup', 5, sharing('c-static', memberId, generation, { groupInstanceId: 'i' }))
  await teller.ask('the one before joins', 'JoinGroup', 9, joining('c-static', { instance: 'i', memberId }))
  await teller.ask('offsets of the one before', 'OffsetCommit', 9, { ...old, generationIdOrMemberEpoch: generation, topics: [offset('a', 0, 5)] })
  await teller.ask('the one before without its instance', 'Heartbeat', 4, { groupId: 'c-static', memberId, generationId: generation })
  await teller.ask('comes back in a version that cannot skip the assignment', 'JoinGroup', 8, joining('c-static', { instance: 'i' }))
  await teller.ask('comes back with another protocol', 'JoinGroup', 9, joining('c-static', { instance: 'i', protocols: ['roundrobin'] }))
  await teller.ask('an instance with a name of its own', 'JoinGroup', 9, joining('c-static', { instance: 'j', memberId: 'own-name' }))
  await teller.ask('removed by another name', 'LeaveGroup', 5, { groupId: 'c-static', members: [{ memberId: next.memberId, groupInstanceId: 'i' }] })
  await teller.ask('removed by its instance, and one that is not there', 'LeaveGroup', 5, { groupId: 'c-static', members: [{ memberId: '', groupInstanceId: 'i' }, { memberId: '', groupInstanceId: 'nobody' }] })
  await teller.ask('the group afterwards', 'DescribeGroups', 6, { groups: ['c-static'] })
}

async function leaving(teller: Teller): Promise<void> {
  const { memberId } = await alone(teller, 'c-leave')
  const pending = await teller.ask('is told its name and does not come', 'JoinGroup', 9, joining('c-leave'))
  await teller.ask('all sorts leave', 'LeaveGroup', 5, { groupId: 'c-leave', members: [{ memberId: 'nobody' }, { memberId: pending.memberId }, { memberId }, { memberId, groupInstanceId: 'i' }, { memberId: '' }] })
  await teller.ask('leaves again', 'LeaveGroup', 5, { groupId: 'c-leave', members: [{ memberId }] })
  await teller.ask('leaves again', 'LeaveGroup', 2, { groupId: 'c-leave', memberId })
  await teller.ask('beats in an empty group', 'Heartbeat', 4, { groupId: 'c-leave', memberId, generationId: 1 })
  await teller.ask('syncs in an empty group', 'SyncGroup', 5, sharing('c-leave', memberId, 1))
  await teller.ask('joins an empty group by its old name', 'JoinGroup', 9, joining('c-leave', { memberId }))
  await teller.ask('joins by a name while there is a member to come', 'JoinGroup', 9, joining('c-leave', { type: 'other' }))
}

async function syncing(teller: Teller): Promise<void> {
  const { memberId: name } = await teller.ask('joins', 'JoinGroup', 9, joining('c-sync'))
  const { memberId, generationId } = await teller.ask('joins', 'JoinGroup', 9, joining('c-sync', { memberId: name }))
  const ask = (what: string, more: Partial<RequestInput<'SyncGroup'>>): Answer<'SyncGroup'> => teller.ask(`syncs ${what}`, 'SyncGroup', 5, sharing('c-sync', memberId, generationId, more))
  await ask('with another protocol', { protocolName: 'roundrobin' })
  await ask('with another type', { protocolType: 'connect' })
  await ask('with an old generation', { generationId: generationId - 1 })
  await ask('with a new generation', { generationId: generationId + 1 })
  await ask('as a stranger', { memberId: 'nobody' })
  await ask('with an instance', { groupInstanceId: 'i' })
  await teller.ask('commits before the assignment', 'OffsetCommit', 8, { groupId: 'c-sync', memberId, generationIdOrMemberEpoch: generationId, topics: [offset('a', 0, 1)] })
  await teller.ask('is described before the assignment', 'DescribeGroups', 5, { groups: ['c-sync'] })
  await ask('without names of protocols', { protocolType: null, protocolName: null, assignments: assigning([memberId, 'a', [1]]) })
  await ask('again', { assignments: assigning([memberId, 'a', [2]]) })
  await ask('again with another protocol', { protocolName: 'sticky' })
  await ask('again with an old generation', { generationId: 0 })
  await teller.ask('in an old version', 'SyncGroup', 3, { groupId: 'c-sync', memberId, generationId, assignments: [] })
  await teller.ask('is described after the assignment', 'DescribeGroups', 5, { groups: ['c-sync'] })
}

async function describing(teller: Teller): Promise<void> {
  for (let version = 0; version <= 6; version++) await teller.ask('a group, one of the other kind and none', 'DescribeGroups', version, { groups: ['c-sync', 'c-leave', 'nowhere'], ...(version >= 3 ? { includeAuthorizedOperations: true } : {}) })
  for (const statesFilter of [[], ['Stable'], ['stable', 'EMPTY'], ['nonsense'], ['Dead']]) await teller.ask(`those in states ${statesFilter.join()}`, 'ListGroups', 4, { statesFilter })
  for (const typesFilter of [['classic'], ['Consumer'], ['CLASSIC', 'consumer'], ['nonsense'], ['share']]) await teller.ask(`those of types ${typesFilter.join()}`, 'ListGroups', 5, { typesFilter })
  await teller.ask('those in states and of types', 'ListGroups', 5, { statesFilter: ['Stable'], typesFilter: ['classic'] })
  await teller.ask('all', 'ListGroups', 3, {})
}

async function namesOfGroups(teller: Teller): Promise<void> {
  const long = 'x'.repeat(300)
  await teller.ask('a long name', 'JoinGroup', 9, joining(long))
  await teller.ask('a long name', 'ConsumerGroupHeartbeat', 1, beating(`${long}y`, uuidOf(1), 0))
  await teller.ask('a strange name', 'OffsetCommit', 8, { groupId: 'ä b/ü\n', memberId: '', topics: [offset('a', 0, 1)] })
  await teller.ask('an empty name', 'Heartbeat', 4, { groupId: '', memberId: 'm', generationId: 1 })
  await teller.ask('an empty name', 'SyncGroup', 5, sharing('', 'm', 1))
  await teller.ask('an empty name', 'LeaveGroup', 5, { groupId: '', members: [{ memberId: 'm' }] })
  await teller.ask('an empty name', 'OffsetCommit', 8, { groupId: '', memberId: '', topics: [offset('a', 0, 1)] })
  await teller.ask('an empty name as a member', 'OffsetCommit', 8, { groupId: '', memberId: 'm', generationIdOrMemberEpoch: 1, topics: [offset('a', 0, 1)] })
  await teller.ask('an empty name', 'OffsetFetch', 7, { groupId: '', topics: [{ name: 'a', partitionIndexes: [0] }] })
  await teller.ask('an empty name', 'OffsetFetch', 8, { groups: [{ groupId: '', topics: [{ name: 'a', partitionIndexes: [0] }] }] })
  await teller.ask('an empty name', 'OffsetDelete', 0, { groupId: '', topics: [{ name: 'a', partitions: [{ partitionIndex: 0 }] }] })
  await teller.ask('an empty name', 'DeleteGroups', 2, { groupsNames: [''] })
  await teller.ask('an empty name', 'ConsumerGroupDescribe', 1, { groupIds: [''], includeAuthorizedOperations: false })
  await teller.ask('an empty name', 'DescribeGroups', 6, { groups: [''] })
}

// ─── the new protocol ───

async function modernRefusals(teller: Teller): Promise<void> {
  const ask = (what: string, memberId: string, epoch: number, more: Beat = {}, version = 1, groupId = 'm-refused'): Answer<'ConsumerGroupHeartbeat'> => teller.ask(what, 'ConsumerGroupHeartbeat', version, beating(groupId, memberId, epoch, more))
  await ask('an empty group', uuidOf(1), 0, {}, 1, '')
  await ask('no name', '', 0)
  await ask('no name, in the version where brokers give them', '', 0, {}, 0, 'm-named')
  await ask('an empty instance', uuidOf(1), 0, { instance: '' })
  await ask('an empty rack', uuidOf(1), 0, { rack: '' })
  await ask('no rebalance timeout', uuidOf(1), 0, { rebalanceTimeoutMs: -1 })
  await ask('partitions at once', uuidOf(1), 0, { owned: [{ topicId: teller.topicIds.get('a')!, partitions: [0] }] })
  await ask('no word of partitions', uuidOf(1), 0, { owned: null })
  await ask('no topics', uuidOf(1), 0, { topics: null })
  await ask('an empty list of topics', uuidOf(1), 0, { topics: [] }, 1, 'm-no-topics')
  await ask('an empty pattern', uuidOf(1), 0, { topics: null, regex: '' }, 1, 'm-no-pattern')
  await ask('a bad pattern', uuidOf(1), 0, { topics: null, regex: '(' })
  await ask('an unknown assignor', uuidOf(1), 0, { assignor: 'sticky' })
  await ask('an epoch that is none', uuidOf(1), -3)
  await ask('a farewell for a while without an instance', uuidOf(1), -2)
  await ask('a beat in a group that is not there', uuidOf(1), 5)
  await ask('a farewell to a group that is not there', uuidOf(1), -1)
  await ask('a static farewell to a group that is not there', uuidOf(1), -2, { instance: 'i' })
}

async function modernStatic(teller: Teller): Promise<void> {
  const ask = (what: string, index: number, epoch: number, more: Beat = {}): Answer<'ConsumerGroupHeartbeat'> => teller.ask(`static: ${what}`, 'ConsumerGroupHeartbeat', 1, beating('m-static', uuidOf(index), epoch, { instance: 'i', ...more }))
  const { memberEpoch } = await ask('joins', 1, 0)
  await teller.ask('its group', 'ConsumerGroupDescribe', 1, { groupIds: ['m-static'], includeAuthorizedOperations: true })
  await ask('beats', 1, memberEpoch)
  await ask('joins again by its own name', 1, 0)
  await ask('beats again', 1, memberEpoch)
  await ask('another joins by its instance', 2, 0)
  await ask('another beats by its instance', 2, memberEpoch)
  await ask('another leaves by its instance', 2, -1)
  await ask('leaves for a while', 1, -2)
  await teller.ask('its group while it is away', 'ConsumerGroupDescribe', 1, { groupIds: ['m-static'], includeAuthorizedOperations: false })
  await ask('beats though it is away', 1, memberEpoch)
  await ask('comes back by its own name', 1, 0)
  await ask('leaves for a while', 1, -2)
  await ask('comes back by another name', 2, 0)
  await ask('the one before beats', 1, memberEpoch)
  await ask('the one before beats as if it had no instance', 1, memberEpoch, { instance: null })
  await ask('says another instance', 2, memberEpoch, { instance: 'j' })
  await ask('leaves for good', 2, -1)
  await ask('leaves again', 2, -1)
  await teller.ask('its group when it is empty', 'ConsumerGroupDescribe', 1, { groupIds: ['m-static'], includeAuthorizedOperations: false })
}

async function modernDynamic(teller: Teller): Promise<void> {
  const ask = (what: string, index: number, epoch: number, more: Beat = {}): Answer<'ConsumerGroupHeartbeat'> => teller.ask(`dynamic: ${what}`, 'ConsumerGroupHeartbeat', 1, beating('m-dynamic', uuidOf(index), epoch, more))
  const { memberEpoch } = await ask('joins', 1, 0)
  await ask('joins again while it is a member', 1, 0)
  await ask('beats with the next epoch', 1, memberEpoch + 1)
  await ask('beats with the epoch before', 1, memberEpoch - 1, { owned: [] })
  await ask('a stranger beats', 9, memberEpoch)
  await ask('a stranger leaves', 9, -1)
  await ask('changes its topics', 1, memberEpoch, { topics: ['a', 'b'] })
  await ask('says what it has', 1, memberEpoch + 1, { owned: [{ topicId: teller.topicIds.get('a')!, partitions: [0, 1, 2, 3] }] })
  await ask('says nothing new', 1, memberEpoch + 1)
  await ask('asks for a topic that is not there', 1, memberEpoch + 1, { topics: ['nowhere'] })
  await ask('has given up all', 1, memberEpoch + 1, { owned: [] })
  await ask('a second joins', 2, 0)
  await teller.ask('the group', 'ConsumerGroupDescribe', 1, { groupIds: ['m-dynamic'], includeAuthorizedOperations: false })
  await teller.ask('a classic stranger syncs', 'SyncGroup', 5, sharing('m-dynamic', 'nobody', 1))
  await teller.ask('a member of the new protocol syncs', 'SyncGroup', 5, sharing('m-dynamic', uuidOf(2), 1))
  await teller.ask('a member of the new protocol beats the old way', 'Heartbeat', 4, { groupId: 'm-dynamic', memberId: uuidOf(2), generationId: 1 })
  await teller.ask('members of the new protocol leave the old way', 'LeaveGroup', 5, { groupId: 'm-dynamic', members: [{ memberId: uuidOf(2) }, { memberId: 'nobody' }, { memberId: '', groupInstanceId: 'i' }] })
  await teller.ask('the group afterwards', 'ConsumerGroupDescribe', 1, { groupIds: ['m-dynamic'], includeAuthorizedOperations: false })
}

// ─── both ───

async function upgrade(teller: Teller): Promise<void> {
  const group = 'up'
  const { memberId, generation } = await alone(teller, group)
  const classic = async (what: string, at: number): Answer<'Heartbeat'> => await teller.ask(`${group}: the classic member beats, ${what}`, 'Heartbeat', 4, { groupId: group, memberId, generationId: at })
  await teller.ask('a stranger of the new protocol beats', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), 3))
  await teller.ask('a stranger of the new protocol leaves', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), -1))
  const first = await teller.ask('the first of the new protocol joins', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), 0))
  await teller.ask('the group after the upgrade', 'ConsumerGroupDescribe', 1, { groupIds: [group], includeAuthorizedOperations: false })
  await teller.ask('the old view', 'DescribeGroups', 6, { groups: [group] })
  await teller.ask('the old view', 'DescribeGroups', 5, { groups: [group] })
  await classic('with its generation', generation)
  await classic('with another', generation + 1)
  await teller.ask('the classic member syncs though it is to join', 'SyncGroup', 5, sharing(group, memberId, generation))
  await teller.ask('the classic member commits', 'OffsetCommit', 9, { groupId: group, memberId, generationIdOrMemberEpoch: generation, topics: [offset('a', 0, 7)] })
  await teller.ask('the classic member commits with another generation', 'OffsetCommit', 9, { groupId: group, memberId, generationIdOrMemberEpoch: generation + 5, topics: [offset('a', 0, 7)] })
  await teller.ask('the classic member fetches as one of the new protocol', 'OffsetFetch', 9, { groups: [{ groupId: group, memberId, memberEpoch: generation, topics: [{ name: 'a', partitionIndexes: [0] }] }] })
  await teller.ask('and with another epoch', 'OffsetFetch', 9, { groups: [{ groupId: group, memberId, memberEpoch: generation + 5, topics: [{ name: 'a', partitionIndexes: [0] }] }] })
  const again = await teller.ask('the classic member joins again, having given up all', 'JoinGroup', 9, joining(group, { memberId }))
  await classic('before it has synced', again.generationId)
  await teller.ask('syncs with another protocol', 'SyncGroup', 5, sharing(group, memberId, again.generationId, { protocolName: 'sticky' }))
  await teller.ask('syncs with another type', 'SyncGroup', 5, sharing(group, memberId, again.generationId, { protocolType: 'connect' }))
  await teller.ask('syncs with another generation', 'SyncGroup', 5, sharing(group, memberId, again.generationId + 1))
  await teller.ask('syncs with an instance', 'SyncGroup', 5, sharing(group, memberId, again.generationId, { groupInstanceId: 'i' }))
  await teller.ask('syncs', 'SyncGroup', 5, sharing(group, memberId, again.generationId))
  await classic('when it has synced', again.generationId)
  await teller.ask('the one of the new protocol gets the rest', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), first.memberEpoch, { owned: [] }))
  await teller.ask('the group when all is shared', 'ConsumerGroupDescribe', 1, { groupIds: [group], includeAuthorizedOperations: false })
  await teller.ask('both leave the old way', 'LeaveGroup', 5, { groupId: group, members: [{ memberId }, { memberId: uuidOf(1) }, { memberId: 'nobody' }, { memberId, groupInstanceId: 'i' }] })
  await teller.ask('the group afterwards', 'ConsumerGroupDescribe', 1, { groupIds: [group], includeAuthorizedOperations: false })
}

async function classicInModern(teller: Teller): Promise<void> {
  const group = 'mixed'
  const first = await teller.ask('one of the new protocol joins', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), 0))
  const epoch = first.memberEpoch
  await teller.ask('a classic one with metadata that is none', 'JoinGroup', 9, joining(group, { metadata: Buffer.from([1]) }))
  await teller.ask('a classic one of another type', 'JoinGroup', 9, joining(group, { type: 'connect' }))
  await teller.ask('a classic one without protocols', 'JoinGroup', 9, joining(group, { protocols: [] }))
  const { memberId } = await teller.ask('a classic one', 'JoinGroup', 9, joining(group, { protocols: ['range', 'cooperative-sticky'] }))
  const joined = await teller.ask('a classic one by its name', 'JoinGroup', 9, joining(group, { memberId, protocols: ['range', 'cooperative-sticky'] }))
  await teller.ask('a classic one without a common protocol', 'JoinGroup', 9, joining(group, { protocols: ['sticky'] }))
  await teller.ask('it syncs', 'SyncGroup', 5, sharing(group, memberId, joined.generationId))
  await teller.ask('it beats: there is nothing for it yet', 'Heartbeat', 4, { groupId: group, memberId, generationId: joined.generationId })
  await teller.ask('the first is to give up', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), epoch))
  const { assignment } = await teller.ask('the first says all', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), epoch, { topics: ['a'], rebalanceTimeoutMs: 30_000, owned: [{ topicId: teller.topicIds.get('a')!, partitions: [0, 1, 2, 3] }] }))
  await teller.ask('it beats: the first has not given up', 'Heartbeat', 4, { groupId: group, memberId, generationId: joined.generationId })
  const given = await teller.ask('the first has given up', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), epoch, { owned: assignment?.topicPartitions ?? [] }))
  await teller.ask('it beats: there is something for it', 'Heartbeat', 4, { groupId: group, memberId, generationId: joined.generationId })
  const got = await teller.ask('it joins for it', 'JoinGroup', 9, joining(group, { memberId, protocols: ['range', 'cooperative-sticky'] }))
  await teller.ask('it syncs for it', 'SyncGroup', 5, sharing(group, memberId, got.generationId))
  await teller.ask('it commits', 'OffsetCommit', 8, { groupId: group, memberId, generationIdOrMemberEpoch: got.generationId, topics: [offset('a', 0, 7)] })
  await teller.ask('the group when all is shared', 'ConsumerGroupDescribe', 1, { groupIds: [group], includeAuthorizedOperations: false })
  await teller.ask('a cooperative one changes its topics', 'JoinGroup', 9, joining(group, { memberId, protocols: ['cooperative-sticky', 'range'], topics: ['b'], owned: [['a', [2, 3]], ['a', [0, 1]], ['gone', [0]]] }))
  await teller.ask('and syncs', 'SyncGroup', 5, sharing(group, memberId, got.generationId, { protocolName: 'cooperative-sticky' }))
  await teller.ask('and beats', 'Heartbeat', 4, { groupId: group, memberId, generationId: got.generationId })
  const last = await teller.ask('and joins again without them', 'JoinGroup', 9, joining(group, { memberId, protocols: ['cooperative-sticky', 'range'], topics: ['b'] }))
  await teller.ask('and syncs', 'SyncGroup', 5, sharing(group, memberId, last.generationId, { protocolName: 'cooperative-sticky' }))
  await teller.ask('an old one without a name', 'JoinGroup', 3, joining(group, { protocols: ['cooperative-sticky'] }))
  await teller.ask('the classic one becomes one of the new protocol', 'ConsumerGroupHeartbeat', 1, beating(group, memberId, 0))
  await teller.ask('the first leaves', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), -1))
  await teller.ask('deleted though it has members', 'DeleteGroups', 2, { groupsNames: [group] })
  await teller.ask('offsets of a topic that a classic member reads', 'OffsetDelete', 0, { groupId: group, topics: [{ name: 'a', partitions: [{ partitionIndex: 0 }] }] })
  void given
}

async function downgrade(teller: Teller): Promise<void> {
  const group = 'down'
  const { memberId, generation } = await alone(teller, group)
  await teller.ask('down: one of the new protocol joins', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), 0))
  const again = await teller.ask('down: the classic one joins again', 'JoinGroup', 9, joining(group, { memberId }))
  await teller.ask('down: and syncs', 'SyncGroup', 5, sharing(group, memberId, again.generationId))
  await teller.ask('down: the one of the new protocol leaves', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), -1))
  await teller.ask('down: the group', 'DescribeGroups', 6, { groups: [group] })
  await teller.ask('down: the new view', 'ConsumerGroupDescribe', 1, { groupIds: [group], includeAuthorizedOperations: false })
  await teller.ask('down: the classic one beats', 'Heartbeat', 4, { groupId: group, memberId, generationId: again.generationId })
  await teller.ask('down: with the epoch that the group had', 'Heartbeat', 4, { groupId: group, memberId, generationId: again.generationId + 1 })
  const last = await teller.ask('down: the classic one joins', 'JoinGroup', 9, joining(group, { memberId }))
  await teller.ask('down: and shares out', 'SyncGroup', 5, sharing(group, memberId, last.generationId, { assignments: assigning([memberId, 'a', [0, 1, 2, 3]]) }))
  await teller.ask('down: the group afterwards', 'DescribeGroups', 6, { groups: [group] })
  await teller.ask('down: all of it', 'ListGroups', 5, { typesFilter: ['consumer'] })
  void generation
}

async function downgradeByStatic(teller: Teller): Promise<void> {
  const group = 'down-static'
  const { memberId } = await alone(teller, group, { instance: 'one' })
  await teller.ask('static down: one of the new protocol', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(1), 0, { instance: 'two' }))
  const again = await teller.ask('static down: the classic one joins again', 'JoinGroup', 9, joining(group, { memberId, instance: 'one' }))
  await teller.ask('static down: and syncs', 'SyncGroup', 5, sharing(group, memberId, again.generationId, { groupInstanceId: 'one' }))
  await teller.ask('static down: a classic one takes the place of a classic one', 'JoinGroup', 9, joining(group, { instance: 'one' }))
  await teller.ask('static down: the one before beats', 'Heartbeat', 4, { groupId: group, memberId, generationId: again.generationId, groupInstanceId: 'one' })
  await teller.ask('static down: a name of its own for a known instance', 'JoinGroup', 9, joining(group, { instance: 'two', memberId: 'own' }))
  await teller.ask('static down: a name of its own for an unknown instance', 'JoinGroup', 9, joining(group, { instance: 'three', memberId: 'own' }))
  await teller.ask('static down: one of the new protocol takes the place of a classic one', 'ConsumerGroupHeartbeat', 1, beating(group, uuidOf(2), 0, { instance: 'one' }))
  await teller.ask('static down: a classic one takes it back', 'JoinGroup', 9, joining(group, { instance: 'one' }))
  const taken = await teller.ask('static down: a classic one takes the place of the last of the new protocol', 'JoinGroup', 9, joining(group, { instance: 'two' }))
  await teller.ask('static down: the group', 'DescribeGroups', 6, { groups: [group] })
  await teller.ask('static down: the new view', 'ConsumerGroupDescribe', 1, { groupIds: [group], includeAuthorizedOperations: false })
  await teller.ask('static down: it syncs', 'SyncGroup', 5, sharing(group, taken.memberId, taken.generationId, { groupInstanceId: 'two' }))
  await teller.ask('static down: it beats', 'Heartbeat', 4, { groupId: group, memberId: taken.memberId, generationId: taken.generationId, groupInstanceId: 'two' })
}

async function refusedMigrations(teller: Teller): Promise<void> {
  await alone(teller, 'up-connect', { type: 'connect' })
  await teller.ask('a group of another type is not upgraded', 'ConsumerGroupHeartbeat', 1, beating('up-connect', uuidOf(1), 0))
  const { memberId } = await teller.ask('up-garbage: joins', 'JoinGroup', 9, joining('up-garbage', { metadata: Buffer.from([0, 0]) }))
  const { generationId } = await teller.ask('up-garbage: joins', 'JoinGroup', 9, joining('up-garbage', { memberId, metadata: Buffer.from([0, 0]) }))
  await teller.ask('up-garbage: shares out', 'SyncGroup', 5, sharing('up-garbage', memberId, generationId, { assignments: assigning([memberId, 'a', [0]]) }))
  await teller.ask('a group whose members say nonsense is not upgraded', 'ConsumerGroupHeartbeat', 1, beating('up-garbage', uuidOf(1), 0))
  const other = await teller.ask('up-nonsense: joins', 'JoinGroup', 9, joining('up-nonsense'))
  const joined = await teller.ask('up-nonsense: joins', 'JoinGroup', 9, joining('up-nonsense', { memberId: other.memberId }))
  await teller.ask('up-nonsense: shares out nonsense', 'SyncGroup', 5, sharing('up-nonsense', other.memberId, joined.generationId, { assignments: [{ memberId: other.memberId, assignment: Buffer.from([0, 0, 0]) }] }))
  await teller.ask('a group whose assignment is nonsense is not upgraded', 'ConsumerGroupHeartbeat', 1, beating('up-nonsense', uuidOf(1), 0))
  const third = await teller.ask('up-early: joins', 'JoinGroup', 9, joining('up-early'))
  await teller.ask('up-early: a member that is to come does not hold up one of the new protocol', 'ConsumerGroupHeartbeat', 1, beating('up-early', uuidOf(1), 0))
  await teller.ask('up-early: it comes', 'JoinGroup', 9, joining('up-early', { memberId: third.memberId }))
  const fourth = await teller.ask('up-joined: joins', 'JoinGroup', 9, joining('up-joined'))
  await teller.ask('up-joined: joins', 'JoinGroup', 9, joining('up-joined', { memberId: fourth.memberId }))
  const waits = teller.askAside('up-joined: another joins and waits', 'JoinGroup', 3, joining('up-joined'))
  await teller.until('up-joined: it waits', 'DescribeGroups', 5, () => ({ groups: ['up-joined'] }), ({ groups }) => groups[0]!.groupState === 'PreparingRebalance')
  await teller.ask('up-joined: one of the new protocol', 'ConsumerGroupHeartbeat', 1, beating('up-joined', uuidOf(1), 0, { topics: ['b'] }))
  await waits
}

// ─── offsets ───

function offset(name: string, partitionIndex: number, committedOffset: number, committedMetadata: string | null = ''): RequestInput<'OffsetCommit'>['topics'][number] {
  return { name, partitions: [{ partitionIndex, committedOffset, committedMetadata }] }
}

async function commits(teller: Teller): Promise<void> {
  const { memberId, generation } = await alone(teller, 'o-commit')
  const ask = (what: string, version: number, more: Partial<RequestInput<'OffsetCommit'>>): Answer<'OffsetCommit'> => teller.ask(`commits ${what}`, 'OffsetCommit', version, { groupId: 'o-commit', memberId: '', topics: [offset('a', 0, 1)], ...more })
  for (const version of [8, 9]) {
    await ask('as a member', version, { memberId, generationIdOrMemberEpoch: generation })
    await ask('as a stranger', version, { memberId: 'nobody', generationIdOrMemberEpoch: generation })
    await ask('with an old generation', version, { memberId, generationIdOrMemberEpoch: generation - 1 })
    await ask('with a new generation', version, { memberId, generationIdOrMemberEpoch: generation + 1 })
    await ask('as nobody, though there are members', version, {})
    await ask('by name without a generation', version, { memberId })
    await ask('with an instance that is not there', version, { memberId, generationIdOrMemberEpoch: generation, groupInstanceId: 'i' })
    await ask('with a generation in a group that is not there', version, { groupId: 'o-nowhere', memberId, generationIdOrMemberEpoch: generation })
    await ask('by name in a group that is not there', version, { groupId: 'o-new', memberId })
    await ask('to a topic and a partition that are not there', version, { groupId: 'o-simple', topics: [offset('nowhere', 0, 1), { name: 'a', partitions: [...offset('a', 77, 1).partitions, ...offset('a', 1, 5, null).partitions, ...offset('a', 2, -5, 'x').partitions] }] })
    await ask('metadata that is too long', version, { groupId: 'o-simple', topics: [{ name: 'a', partitions: [...offset('a', 0, 1, 'm'.repeat(4096)).partitions, ...offset('a', 1, 1, 'm'.repeat(4097)).partitions] }, offset('b', 0, 1, 'ä'.repeat(2049))] })
    await ask('nothing', version, { groupId: 'o-nothing', topics: [] })
  }
  await ask('by topic ids', 10, { groupId: 'o-simple', topics: [{ topicId: teller.topicIds.get('a')!, partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: '' }] }, { topicId: uuid, partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: '' }] }] })
  await teller.ask('m-commit: joins', 'ConsumerGroupHeartbeat', 1, beating('m-commit', uuidOf(1), 0))
  const { memberEpoch } = await teller.ask('m-commit: beats', 'ConsumerGroupHeartbeat', 1, beating('m-commit', uuidOf(1), 1))
  for (const version of [8, 9]) {
    const modern = { groupId: 'm-commit', memberId: uuidOf(1) }
    for (const epoch of [memberEpoch, 0, 1, 2, 9, -1]) await ask(`as one of the new protocol with epoch ${epoch}`, version, { ...modern, generationIdOrMemberEpoch: epoch })
    await ask('as a stranger of the new protocol', version, { ...modern, memberId: 'nobody', generationIdOrMemberEpoch: 1 })
    await ask('as nobody in a group of the new protocol', version, { groupId: 'm-commit' })
  }
}

const uuid = '00000000-0000-4000-8000-000000000123'

async function fetches(teller: Teller): Promise<void> {
  const a = { name: 'a', topicId: teller.topicIds.get('a')!, partitionIndexes: [0, 1, 77] }
  for (let version = 1; version <= 7; version++) {
    await teller.ask('offsets', 'OffsetFetch', version, { groupId: 'o-simple', topics: [a, { name: 'nowhere', partitionIndexes: [0] }] })
    if (version >= 2) await teller.ask('all offsets', 'OffsetFetch', version, { groupId: 'o-simple', topics: null })
    await teller.ask('offsets of no group', 'OffsetFetch', version, { groupId: 'nowhere', topics: [a] })
  }
  for (const version of [8, 9, 10]) {
    await teller.ask('offsets of several groups', 'OffsetFetch', version, { groups: ['o-simple', 'nowhere', ''].map(groupId => ({ groupId, topics: [a] })) })
    await teller.ask('all offsets of several groups', 'OffsetFetch', version, { groups: ['o-simple', 'nowhere', 'o-new'].map(groupId => ({ groupId, topics: null })) })
    await teller.ask('no groups', 'OffsetFetch', version, { groups: [] })
  }
  await teller.ask('offsets of topic ids that are none', 'OffsetFetch', 10, { groups: [{ groupId: 'o-simple', topics: [{ topicId: uuid, partitionIndexes: [0] }] }] })
  for (const [memberId, memberEpoch] of [[uuidOf(1), 1], [uuidOf(1), 2], [uuidOf(1), 9], [uuidOf(1), -1], ['nobody', 1], [null, -1], ['', -1]] as const) {
    await teller.ask(`as ${memberId === uuidOf(1) ? 'a member' : memberId} with epoch ${memberEpoch}`, 'OffsetFetch', 9, { groups: [{ groupId: 'm-commit', memberId, memberEpoch, topics: [a] }] })
    await teller.ask(`of a classic group as ${memberId === uuidOf(1) ? 'a member' : memberId} with epoch ${memberEpoch}`, 'OffsetFetch', 9, { groups: [{ groupId: 'o-commit', memberId, memberEpoch, topics: [a] }] })
    await teller.ask(`of no group as ${memberId === uuidOf(1) ? 'a member' : memberId} with epoch ${memberEpoch}`, 'OffsetFetch', 9, { groups: [{ groupId: 'nowhere', memberId, memberEpoch, topics: [a] }] })
  }
}

async function deletions(teller: Teller): Promise<void> {
  const of = (name: string, ...partitions: readonly number[]) => ({ name, partitions: partitions.map(partitionIndex => ({ partitionIndex })) })
  await teller.ask('offsets of a group that reads them', 'OffsetDelete', 0, { groupId: 'o-commit', topics: [of('a', 0, 77), of('b', 0), of('nowhere', 0)] })
  await teller.ask('offsets of a group of the new protocol that reads them', 'OffsetDelete', 0, { groupId: 'm-commit', topics: [of('a', 0), of('b', 0)] })
  await teller.ask('offsets of a group of another type', 'OffsetDelete', 0, { groupId: 'up-connect', topics: [of('a', 0)] })
  await teller.ask('offsets of a group without members', 'OffsetDelete', 0, { groupId: 'o-simple', topics: [of('a', 0, 1, 2)] })
  await teller.ask('offsets of no group', 'OffsetDelete', 0, { groupId: 'nowhere', topics: [of('a', 0)] })
  await teller.ask('no offsets', 'OffsetDelete', 0, { groupId: 'o-simple', topics: [] })
  await teller.ask('groups', 'DeleteGroups', 2, { groupsNames: ['o-commit', 'm-commit', 'o-simple', 'o-simple', 'nowhere', 'm-static', 'c-leave'] })
  await teller.ask('groups again', 'DeleteGroups', 2, { groupsNames: ['o-simple', 'm-static'] })
  await teller.ask('what is left of them', 'OffsetFetch', 8, { groups: [{ groupId: 'o-simple', topics: null }] })
}

async function groupConfigs(teller: Teller): Promise<void> {
  const set = (what: string, configs: Readonly<Record<string, string | null>>, configOperation = 0): Answer<'IncrementalAlterConfigs'> =>
    teller.ask(`sets ${what}`, 'IncrementalAlterConfigs', 1, { resources: [{ resourceType: 32, resourceName: 's-group', configs: Object.entries(configs).map(([name, value]) => ({ name, configOperation, value })) }], validateOnly: false })
  await set('a heartbeat that is too frequent', { 'consumer.heartbeat.interval.ms': '4999' })
  await set('a heartbeat that is too rare', { 'consumer.heartbeat.interval.ms': '15001' })
  await set('a session that is too short', { 'consumer.session.timeout.ms': '44999' })
  await set('a session that is too long', { 'consumer.session.timeout.ms': '60001' })
  await set('zero', { 'consumer.session.timeout.ms': '0' })
  await set('no number', { 'consumer.session.timeout.ms': 'long' })
  await set('nothing', { 'consumer.session.timeout.ms': null })
  await set('what is unknown', { 'consumer.what': '1' })
  await set('what is allowed', { 'consumer.session.timeout.ms': '50000', 'consumer.heartbeat.interval.ms': '6000' })
  await set('back', { 'consumer.session.timeout.ms': null, 'consumer.heartbeat.interval.ms': null }, 1)
}
