// Members of a group share the partitions, rebalance inside poll, and find their offsets again.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogClient } from '../../../broker/client/connect-log.ts'
import type { GroupConsumer, GroupConsumerOptions, GroupMember, MemberAssignment } from '../../../core/log-port.ts'
import type { TopicPartition } from '../../../core/record.ts'
import { systemRandom, uuid } from '../../../core/random.ts'
import { groupsUnderTest, readRows, rowsOf, type ReadRow } from './log-under-test.ts'

describe.each(Object.entries(groupsUnderTest))('over %s', (_, open) => {
  let under: Awaited<ReturnType<typeof open>>
  let log: LogClient
  let topic: string
  let groupId: string
  let partitions: TopicPartition[]
  beforeEach(async () => {
    under = await open()
    log = await under.connect()
    topic = `topic-${uuid(systemRandom)}`
    groupId = `group-${uuid(systemRandom)}`
    await log.admin.createTopics([{ name: topic, partitions: 4 }])
    partitions = Array.from({ length: 4 }, (_, partition) => ({ topic, partition }))
  })
  afterEach(() => under[Symbol.asyncDispose]())

  async function write(from: number, count: number): Promise<void> {
    const producer = await log.producer()
    for (let i = from; i < from + count; i++) producer.appender(topic, i % 4).append(null, Buffer.from(String(i)), i)
    await producer.flush()
    await producer.close()
  }

  /** Deals the partitions out in turn; the user data says how many members there are. */
  const dealt = async (members: readonly GroupMember[]): Promise<ReadonlyMap<string, MemberAssignment>> =>
    new Map(members.map(({ memberId }, i) => [memberId, { partitions: partitions.filter(({ partition }) => partition % members.length === i), userData: Buffer.from(`of ${members.length}`) }]))

  interface Member {
    readonly consumer: GroupConsumer
    readonly story: string[]
    readonly rows: ReadRow[]
    assignment: MemberAssignment
    /** Polls once, and keeps what came. */
    poll(timeoutMs?: number): Promise<void>
  }

  function member(options: Partial<GroupConsumerOptions> = {}, client: LogClient = log): Member {
    const consumer = client.groupConsumer({
      groupId, topics: [topic], protocol: 'dealt', offsetReset: () => 'earliest', userData: () => Buffer.from('hello'), assign: dealt,
      sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, heartbeatIntervalMs: 20, maxWaitMs: 50, ...options,
    })
    const made: Member = {
      consumer,
      story: [],
      rows: [],
      assignment: { partitions: [], userData: Buffer.alloc(0) },
      async poll(timeoutMs = 50) {
        made.rows.push(...rowsOf(await consumer.poll(timeoutMs)))
      },
    }
    return made
  }

  function start(made: Member, revoked: () => Promise<void> = async () => {}): Promise<void> {
    return made.consumer.start({
      async revoked() {
        made.story.push('revoked')
        await revoked()
      },
      async assigned(assignment) {
        made.assignment = assignment
        made.story.push(`assigned ${assignment.partitions.map(({ partition }) => partition).join(' ')} ${Buffer.from(assignment.userData).toString()}`)
      },
      async lost() {
        made.story.push('lost')
      },
    })
  }

  const commitAll = (made: Member): Promise<void> =>
    made.consumer.commit(made.assignment.partitions.map(partition => ({ ...partition, offset: made.consumer.position(partition)!, metadata: `by ${partition.partition}` })))

  it('holds nothing any longer when its next life joins, and learns that it is not the one', async () => {
    await write(0, 8)
    const first = member({ instanceId: 'the one', heartbeatIntervalMs: 60_000, sessionTimeoutMs: 30_000 })
    await start(first)
    while (first.rows.length < 8) await first.poll()
    await commitAll(first)
    const client = await under.connect()
    const second = member({ instanceId: 'the one' }, client)
    await start(second)
    expect(second.assignment.partitions).toHaveLength(4)
    await expect(commitAll(first)).rejects.toMatchObject({ code: 'FENCED_INSTANCE_ID' })
    await expect(first.poll()).rejects.toMatchObject({ code: 'FENCED_INSTANCE_ID', hint: expect.stringContaining('state directory') })
    expect(first.story.at(-1)).toBe('lost')
    await write(8, 4)
    while (second.rows.length < 4) await second.poll()
    await second.consumer.close()
    await first.consumer.close()
    await client.close()
  })

  it('one member reads everything, commits, and the next goes on where it was', async () => {
    await write(0, 40)
    const first = member()
    await start(first)
    expect(first.story).toEqual(['assigned 0 1 2 3 of 1'])
    expect((await readRows(first.consumer, 40)).map(row => Number(row.value)).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    await commitAll(first)
    expect((await first.consumer.committed(partitions)).get(`${topic}-3`)).toEqual({ offset: 10, metadata: 'by 3' })
    await first.consumer.close()
    await write(40, 4)
    const second = member({ offsetReset: () => 'latest' })
    await start(second)
    expect((await readRows(second.consumer, 4)).map(row => row.offset)).toEqual([10, 10, 10, 10])
  })

  it('begins at the end where the policy says so', async () => {
    await write(0, 8)
    const made = member({ offsetReset: () => 'latest' })
    await start(made)
    expect(made.consumer.position(partitions[1]!)).toBe(2)
    await write(8, 4)
    expect((await readRows(made.consumer, 4)).map(row => Number(row.value)).sort((a, b) => a - b)).toEqual([8, 9, 10, 11])
  })

  it('shares with a member that comes, commits before it gives up, and takes back what a member leaves', async () => {
    await write(0, 40)
    const first = member()
    await start(first, () => commitAll(first))
    while (first.rows.length < 40) await first.poll()
    const second = member({}, await under.connect())
    const joining = start(second)
    while (first.story.length < 3) await first.poll()
    await joining
    expect(first.story.slice(0, 2)).toEqual(['assigned 0 1 2 3 of 1', 'revoked'])
    expect(new Set([first.story[2], second.story[0]])).toEqual(new Set(['assigned 0 2 of 2', 'assigned 1 3 of 2']))
    await write(40, 40)
    while (first.rows.length + second.rows.length < 80) await Promise.all([first.poll(), second.poll()])
    expect([...first.rows, ...second.rows].map(row => Number(row.value)).sort((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, i) => i))
    expect(second.rows.length).toBe(20)
    await commitAll(second)
    await second.consumer.close()
    while (first.story.length < 5) await first.poll()
    expect(first.story.slice(3)).toEqual(['revoked', 'assigned 0 1 2 3 of 1'])
    expect(partitions.map(partition => first.consumer.position(partition))).toEqual([20, 20, 20, 20])
  })

  it('tells who leads what every member says, in the order of their ids', async () => {
    const seen: GroupMember[][] = []
    const assign = async (members: readonly GroupMember[]): Promise<ReadonlyMap<string, MemberAssignment>> => {
      seen.push([...members])
      return dealt(members)
    }
    const [first, second] = [member({ assign, userData: () => Buffer.from('first') }), member({ assign, userData: () => Buffer.from('second') }, await under.connect())]
    await start(first)
    const joining = start(second)
    while (first.story.length < 3) await first.poll()
    await joining
    const members = seen.at(-1)!
    expect(members.map(({ memberId }) => memberId)).toEqual(members.map(({ memberId }) => memberId).sort())
    expect(members.map(({ userData }) => Buffer.from(userData).toString()).sort()).toEqual(['first', 'second'])
    expect(members.map(({ topics }) => topics)).toEqual([[topic], [topic]])
  })

  it('rebalances when asked to', async () => {
    const made = member()
    await start(made)
    made.consumer.rejoin()
    await made.poll()
    expect(made.story).toEqual(['assigned 0 1 2 3 of 1', 'revoked', 'assigned 0 1 2 3 of 1'])
  })

  it('learns that it was left behind: its commit is refused, and it begins anew', async () => {
    await write(0, 4)
    const late = member({ rebalanceTimeoutMs: 300, heartbeatIntervalMs: 600_000 })
    await start(late)
    while (late.rows.length < 4) await late.poll()
    // It polls no more, so the group goes on without it.
    const other = member({ rebalanceTimeoutMs: 300 }, await under.connect())
    await start(other)
    await expect(commitAll(late)).rejects.toMatchObject({ code: expect.stringMatching(/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION/) })
    const rejoining = (async () => {
      while (late.story.length < 3) await late.poll()
    })()
    while (other.story.length < 3) await other.poll()
    await rejoining
    expect(late.story.slice(0, 2)).toEqual(['assigned 0 1 2 3 of 1', 'lost'])
    expect(late.story[2]).toMatch(/^assigned \d \d of 2$/)
  })

  it('goes on at the beginning where its offset is gone', async () => {
    await write(0, 40)
    await log.admin.resetOffsets(groupId, [{ ...partitions[0]!, offset: 1, metadata: '' }])
    await log.admin.deleteRecords([{ ...partitions[0]!, offset: 7 }])
    const made = member()
    await start(made)
    const rows = await readRows(made.consumer, 33)
    expect(rows.filter(row => row.partition === 0).map(row => row.offset)).toEqual([7, 8, 9])
  })

  it('refuses a member whose protocol the others do not speak', async () => {
    const first = member()
    await start(first)
    await expect(start(member({ protocol: 'other' }))).rejects.toMatchObject({ code: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it('pauses, resumes and seeks as a reader does', async () => {
    await write(0, 8)
    const made = member()
    await start(made)
    made.consumer.pause(partitions.slice(1))
    expect((await readRows(made.consumer, 2)).map(row => row.partition)).toEqual([0, 0])
    made.consumer.seek(partitions[0]!, 1)
    expect((await readRows(made.consumer, 1)).map(row => row.value)).toEqual(['4'])
    made.consumer.resume(partitions.slice(1))
    expect((await readRows(made.consumer, 6)).length).toBe(6)
  })

  it('ends when it is closed, whatever it waits for', async () => {
    const made = member()
    await start(made)
    const waiting = expect(made.consumer.poll(60_000)).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
    await made.consumer.close()
    await waiting
    expect((await log.admin.describeGroups([groupId])).get(groupId)?.members).toEqual([])
  })

  it('ends when it is closed while it waits for the others to join', async () => {
    const first = member()
    await start(first)
    const second = member({}, await under.connect())
    const joining = expect(start(second)).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
    while ((await log.admin.describeGroups([groupId])).get(groupId)!.members.length < 2) await new Promise(resolve => setImmediate(resolve))
    await second.consumer.close()
    await joining
    while (first.story.length < 3) await first.poll()
    expect(first.story).toEqual(['assigned 0 1 2 3 of 1', 'revoked', 'assigned 0 1 2 3 of 1'])
  })

  it('is seen, and its group deleted, by an administrator', async () => {
    const made = member()
    await start(made)
    await made.consumer.commit([{ ...partitions[2]!, offset: 5, metadata: 'note' }])
    expect((await log.admin.listGroups()).find(group => group.groupId === groupId)).toMatchObject({ protocolType: 'consumer' })
    const description = (await log.admin.describeGroups([groupId, 'no such group'])).get(groupId)!
    expect(description).toMatchObject({ state: 'Stable', protocol: 'dealt' })
    expect(description.members[0]!.partitions).toEqual(partitions)
    await expect(log.admin.deleteGroups([groupId])).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' })
    await made.consumer.close()
    expect(await log.admin.allCommittedOffsets(groupId)).toEqual(new Map([[`${topic}-2`, { offset: 5, metadata: 'note' }]]))
    await log.admin.deleteGroups([groupId])
    expect(await log.admin.committedOffsets(groupId, partitions)).toEqual(new Map())
    expect((await log.admin.describeGroups([groupId])).size).toBe(0)
  })
})
