// A member of a group, classic protocol: joins, hands out assignments when it leads, keeps itself alive by heartbeats, leaves.

import { MillraceError } from '../../core/error.ts'
import type { GroupConsumerOptions, MemberAssignment } from '../../core/log-port.ts'
import type { RequestInput, ResponseOf } from '../wire/apis.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import type { Coordinator } from './coordinator.ts'
import type { Committer } from './group-offsets.ts'
import { decodeAssignment, decodeMember, encodeAssignment, encodeSubscription } from './member-protocol.ts'
import { asError, backoffMs, isRetriable, type ClientWorld } from './retry.ts'

/** What became of the membership since the last join: all well, others want to rebalance, or it is gone. */
export type Standing = 'stable' | 'rebalance' | 'lost'

const defaultSessionTimeoutMs = 45_000
const defaultRebalanceTimeoutMs = 300_000
const defaultHeartbeatIntervalMs = 3_000
/** A group that never comes to rest is given up. */
const maxJoinAttempts = 100

const lostCodes: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])

export class Membership {
  readonly #coordinator: Coordinator
  readonly #world: ClientWorld
  readonly #options: GroupConsumerOptions
  /** Called when the standing gets worse. */
  readonly #worsened: () => void
  readonly #abort = new AbortController()
  #memberId = ''
  #generationId = -1
  #standing: Standing = 'stable'
  /** Until the first join: a life before this one may still be a member. */
  #mayHavePredecessor: boolean
  #isFenced = false
  #cancelHeartbeat: (() => void) | null = null

  constructor(coordinator: Coordinator, world: ClientWorld, options: GroupConsumerOptions, worsened: () => void) {
    this.#coordinator = coordinator
    this.#world = world
    this.#options = options
    this.#mayHavePredecessor = options.instanceId !== undefined
    this.#worsened = worsened
  }

  get standing(): Standing {
    return this.#standing
  }

  get committer(): Committer {
    const { instanceId } = this.#options
    return { generationId: this.#generationId, memberId: this.#memberId, ...(instanceId === undefined ? {} : { instanceId }) }
  }

  /** Asks for a rebalance at the next chance. */
  wantRebalance(): void {
    if (this.#standing !== 'stable') return
    this.#standing = 'rebalance'
    this.#worsened()
  }

  /** Takes note of what an answer says of the membership. */
  heed(error: unknown): void {
    if (!(error instanceof MillraceError)) return
    if (lostCodes.has(error.code)) this.#lose(error.code)
    else if (error.code === 'REBALANCE_IN_PROGRESS') this.wantRebalance()
  }

  /** Joins until the group has come to rest with this member in it. @throws MillraceError what cannot be helped, as INCONSISTENT_GROUP_PROTOCOL */
  async join(): Promise<MemberAssignment> {
    const { groupId, instanceId } = this.#options
    if (this.#isFenced) throw fenced(groupId, instanceId!)
    for (let attempt = 0; attempt < maxJoinAttempts; attempt++) {
      if (attempt > 2) await new Promise<void>(resolve => this.#world.clock.after(backoffMs(this.#world.random, attempt - 3), resolve))
      if (this.#abort.signal.aborted) break
      this.#standing = 'stable'
      try {
        const assignment = await this.#joinOnce()
        if (assignment !== null) return assignment
      } catch (error) {
        if (this.#abort.signal.aborted) break
        if (!isRetriable(error)) throw error
        this.#world.logger.warn('joining the group failed', { groupId, attempt, error: asError(error) })
      }
    }
    if (this.#abort.signal.aborted) throw new MillraceError('CLIENT_CLOSED', `The consumer of group ${groupId} is closed.`)
    throw new MillraceError('REBALANCE_IN_PROGRESS', `Group ${groupId} did not come to rest in ${maxJoinAttempts} rounds.`, {
      hint: 'See whether its members fail while they start.',
      retriable: true,
    })
  }

  /** Ends waiting, and tells the coordinator. `coordinator` is asked over a connection on which nothing waits. */
  async leave(coordinator: Coordinator): Promise<void> {
    this.#abort.abort()
    this.#cancelHeartbeat?.()
    this.#cancelHeartbeat = null
    if (this.#memberId === '') return
    const memberId = this.#memberId
    this.#memberId = ''
    const body = (version: number): RequestInput<'LeaveGroup'> => (version >= 3 ? { groupId: this.#options.groupId, members: [{ memberId, ...this.#instance(version, 3) }] } : { groupId: this.#options.groupId, memberId })
    try {
      await coordinator.ask('LeaveGroup', 5, body, answer => answer.errorCode, { deadlineMs: 2_000, timeoutMs: 5_000, signal: new AbortController().signal })
    } catch (error) {
      // The session runs out by itself.
      this.#world.logger.warn('the group could not be told that this member leaves', { groupId: this.#options.groupId, error })
    }
  }

  /** One round; null to join again. */
  async #joinOnce(): Promise<MemberAssignment | null> {
    this.#cancelHeartbeat?.()
    if (this.#mayHavePredecessor) await this.#dismissPredecessor()
    const joined = await this.#join()
    if (joined === null) return null
    this.#memberId = joined.memberId
    this.#generationId = joined.generationId
    this.#scheduleHeartbeat()
    const assignments = joined.leader === joined.memberId ? await this.#assign(joined) : []
    return this.#sync(assignments)
  }

  /** Joining in its place would do, but then its assignment would stay, whatever this life subscribes to. */
  async #dismissPredecessor(): Promise<void> {
    const { groupId } = this.#options
    const body = (version: number): RequestInput<'LeaveGroup'> => (version >= 3 ? { groupId, members: [{ memberId: '', ...this.#instance(version, 3) }] } : { groupId, memberId: '' })
    await this.#coordinator.ask('LeaveGroup', 5, body, answer => answer.errorCode, { signal: this.#abort.signal })
    this.#mayHavePredecessor = false
  }

  /** The instance's field of a request, which has it from a version on. */
  #instance(version: number, since: number): { readonly groupInstanceId?: string } {
    const { instanceId } = this.#options
    return instanceId === undefined || version < since ? {} : { groupInstanceId: instanceId }
  }

  async #join(): Promise<ResponseOf<'JoinGroup'> | null> {
    const { groupId, protocol, topics, sessionTimeoutMs = defaultSessionTimeoutMs, rebalanceTimeoutMs = defaultRebalanceTimeoutMs } = this.#options
    const protocols = [{ name: protocol, metadata: encodeSubscription(topics, this.#options.userData()) }]
    const body = (version: number): RequestInput<'JoinGroup'> => ({ groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId: this.#memberId, ...this.#instance(version, 5), protocolType: 'consumer', protocols })
    const waiting = { timeoutMs: rebalanceTimeoutMs + 10_000, signal: this.#abort.signal }
    const answer = await this.#coordinator.ask('JoinGroup', 9, body, answer => answer.errorCode, waiting)
    switch (answer.errorCode) {
      case 0:
        return answer
      case errors.MEMBER_ID_REQUIRED.code:
        this.#memberId = answer.memberId
        return null
      case errors.UNKNOWN_MEMBER_ID.code:
        this.#memberId = ''
        return null
      case errors.REBALANCE_IN_PROGRESS.code:
        return null
      default:
        throw kafkaError(answer.errorCode, `joining group ${groupId}`)
    }
  }

  async #assign(joined: ResponseOf<'JoinGroup'>): Promise<RequestInput<'SyncGroup'>['assignments']> {
    const members = joined.members.map(({ memberId, metadata }) => decodeMember(memberId, metadata))
    members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    const assigned = await this.#options.assign(members)
    return members.map(({ memberId }) => ({ memberId, assignment: encodeAssignment(assigned.get(memberId) ?? { partitions: [], userData: new Uint8Array(0) }) }))
  }

  async #sync(assignments: RequestInput<'SyncGroup'>['assignments']): Promise<MemberAssignment | null> {
    const { groupId, protocol, rebalanceTimeoutMs = defaultRebalanceTimeoutMs } = this.#options
    const { generationId, memberId } = this.committer
    const body = (version: number): RequestInput<'SyncGroup'> => ({ groupId, generationId, memberId, ...this.#instance(version, 3), protocolType: 'consumer', protocolName: protocol, assignments })
    const waiting = { timeoutMs: rebalanceTimeoutMs + 10_000, signal: this.#abort.signal }
    const answer = await this.#coordinator.ask('SyncGroup', 5, body, answer => answer.errorCode, waiting)
    switch (answer.errorCode) {
      case 0:
        return decodeAssignment(answer.assignment)
      case errors.UNKNOWN_MEMBER_ID.code:
      case errors.ILLEGAL_GENERATION.code:
        this.#memberId = ''
        return null
      case errors.REBALANCE_IN_PROGRESS.code:
        return null
      default:
        throw kafkaError(answer.errorCode, `sync of group ${groupId}`)
    }
  }

  #scheduleHeartbeat(): void {
    this.#cancelHeartbeat?.()
    this.#cancelHeartbeat = this.#world.clock.after(this.#options.heartbeatIntervalMs ?? defaultHeartbeatIntervalMs, () => void this.#heartbeat())
  }

  async #heartbeat(): Promise<void> {
    this.#cancelHeartbeat = null
    const { groupId } = this.#options
    const { generationId, memberId } = this.committer
    try {
      const answer = await this.#coordinator.ask('Heartbeat', 4, version => ({ groupId, generationId, memberId, ...this.#instance(version, 3) }), answer => answer.errorCode, { deadlineMs: 0, signal: this.#abort.signal })
      if (generationId !== this.#generationId) return
      if (answer.errorCode !== 0) this.heed(kafkaError(answer.errorCode, `heartbeat of group ${groupId}`))
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#world.logger.warn('a heartbeat failed', { groupId, error: asError(error) })
    }
    if (!this.#abort.signal.aborted && this.#standing !== 'lost' && this.#cancelHeartbeat === null) this.#scheduleHeartbeat()
  }

  #lose(reason: string): void {
    if (this.#standing === 'lost') return
    this.#world.logger.warn('membership of the group is lost', { groupId: this.#options.groupId, memberId: this.#memberId, reason })
    this.#standing = 'lost'
    this.#isFenced ||= reason === 'FENCED_INSTANCE_ID'
    this.#memberId = ''
    this.#generationId = -1
    this.#cancelHeartbeat?.()
    this.#worsened()
  }
}

function fenced(groupId: string, instanceId: string): MillraceError {
  return new MillraceError('FENCED_INSTANCE_ID', `Another process has joined group ${groupId} as ${instanceId}.`, {
    hint: 'Each process needs a state directory of its own; one that was copied makes two processes the same member.',
  })
}
