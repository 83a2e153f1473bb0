// Who runs which task: a pure function from the members and what they hold to what each gets. The group's leader calls it.

import type { GroupMember, MemberAssignment } from '../core/log-port.ts'
import type { TopicPartition } from '../core/record.ts'
import { repartitionTopicName, type Topology } from '../core/topology/topology.ts'
import { taskCount, type PartitionCounts } from './internal-topics.ts'

/** What a member tells the leader: who it is, and the tasks whose state it holds. */
export interface MemberReport {
  readonly processId: string
  /** `<subtopology>_<partition>`, running or left on its disk. */
  readonly tasks: readonly string[]
}

const VERSION = 1

export function encodeReport(report: MemberReport): Uint8Array {
  return Buffer.from(JSON.stringify({ version: VERSION, ...report }), 'utf8')
}

/** What is no report counts as an empty one: the member is new to us. */
export function decodeReport(bytes: Uint8Array): MemberReport {
  const report = parseObject(Buffer.from(bytes).toString('utf8'))
  if (report['version'] !== VERSION || typeof report['processId'] !== 'string' || !Array.isArray(report['tasks'])) return { processId: '', tasks: [] }
  return { processId: report['processId'], tasks: report['tasks'].filter(task => typeof task === 'string') }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

export interface TaskId {
  readonly subtopology: number
  readonly partition: number
}

export function taskName(task: TaskId): string {
  return `${task.subtopology}_${task.partition}`
}

/** Every task of a topology, by subtopology, then partition. */
export function allTasks(topology: Topology, counts: PartitionCounts): TaskId[] {
  return topology.subtopologies.flatMap(subtopology => Array.from({ length: taskCount(subtopology, counts) }, (_, partition) => ({ subtopology: subtopology.id, partition })))
}

/** The partitions a task reads, real topic names. */
export function taskPartitions(topology: Topology, counts: PartitionCounts, applicationId: string, task: TaskId): TopicPartition[] {
  const subtopology = topology.subtopologies[task.subtopology]!
  const reads = (name: string): boolean => task.partition < (counts.get(name) ?? 0)
  return [
    ...subtopology.sourceTopics.filter(reads).map(topic => ({ topic, partition: task.partition })),
    ...subtopology.repartitionSources.filter(reads).map(name => ({ topic: repartitionTopicName(applicationId, name), partition: task.partition })),
  ]
}

/**
 * Shares tasks out evenly (numbers differ by one at most), leaving each with the member that holds its state where that is
 * even. Members are taken by id and tasks in order, so all leaders come to the same answer. Near linear in tasks and members.
 */
export function assignTasks(tasks: readonly TaskId[], members: readonly GroupMember[]): ReadonlyMap<string, readonly TaskId[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const most = Math.ceil(tasks.length / sorted.length)
  let mayHaveMost = tasks.length - (most - 1) * sorted.length
  const held = new Map(sorted.map(member => [member.memberId, new Set(decodeReport(member.userData).tasks)] as const))
  const shares = new Map(sorted.map(member => [member.memberId, [] as TaskId[]] as const))
  const holders = new Map<string, string[]>()
  for (const [memberId, names] of held) for (const name of names) holders.set(name, [...(holders.get(name) ?? []), memberId])
  const room = (memberId: string): boolean => shares.get(memberId)!.length < most - 1 || (shares.get(memberId)!.length < most && mayHaveMost > 0)
  const give = (memberId: string, task: TaskId): void => {
    const share = shares.get(memberId)!
    share.push(task)
    if (share.length === most) mayHaveMost--
  }
  const left: TaskId[] = []
  for (const task of tasks) {
    const holder = (holders.get(taskName(task)) ?? []).find(room)
    if (holder === undefined) left.push(task)
    else give(holder, task)
  }
  let next = 0
  for (const task of left) {
    while (!room(sorted[next % sorted.length]!.memberId)) next++
    give(sorted[next % sorted.length]!.memberId, task)
    next++
  }
  return shares
}

/** The assignment as the group carries it: the partitions of the tasks. A member finds its tasks from them. */
export function memberAssignments(
  topology: Topology,
  counts: PartitionCounts,
  applicationId: string,
  members: readonly GroupMember[],
): ReadonlyMap<string, MemberAssignment> {
  const shares = assignTasks(allTasks(topology, counts), members)
  const assignments = new Map<string, MemberAssignment>()
  for (const [memberId, tasks] of shares) {
    assignments.set(memberId, { partitions: tasks.flatMap(task => taskPartitions(topology, counts, applicationId, task)), userData: new Uint8Array(0) })
  }
  return assignments
}

/** The tasks behind assigned partitions, by subtopology, then partition. */
export function tasksOf(topology: Topology, applicationId: string, partitions: readonly TopicPartition[]): TaskId[] {
  const reader = new Map<string, number>()
  for (const subtopology of topology.subtopologies) {
    for (const topic of subtopology.sourceTopics) reader.set(topic, subtopology.id)
    for (const name of subtopology.repartitionSources) reader.set(repartitionTopicName(applicationId, name), subtopology.id)
  }
  const found = new Map<string, TaskId>()
  for (const { topic, partition } of partitions) {
    const subtopology = reader.get(topic)
    if (subtopology !== undefined) found.set(taskName({ subtopology, partition }), { subtopology, partition })
  }
  return [...found.values()].sort((a, b) => a.subtopology - b.subtopology || a.partition - b.partition)
}
