// Where a group is to read on from: what `groups reset-offsets` can be told, and the offsets that it comes to.

import { readFile } from 'node:fs/promises'
import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { MillraceError } from '../../core/error.ts'
import { partitionName, type Offset, type Timestamp, type TopicPartition } from '../../core/record.ts'
import { parseEventTime } from '../input/event-time.ts'
import { timeSpan } from '../input/time-span.ts'
import { wholeNumber } from '../terminal/whole-number.ts'

export interface ResetOptions {
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  readonly toCurrent?: boolean
  readonly toOffset?: string
  readonly toDatetime?: string
  readonly shiftBy?: string
  readonly byDuration?: string
  readonly fromFile?: string
}

/** What is wanted, one of the options. */
export type ResetTarget =
  | { readonly kind: 'earliest' | 'latest' | 'current' }
  | { readonly kind: 'offset'; readonly offset: Offset }
  | { readonly kind: 'time'; readonly timestamp: Timestamp }
  | { readonly kind: 'shift'; readonly by: number }
  | { readonly kind: 'file'; readonly file: string }

/** @throws MillraceError USAGE where not exactly one is given */
export function resetTarget(options: ResetOptions, now: Timestamp): ResetTarget {
  const targets: ResetTarget[] = []
  if (options.toEarliest) targets.push({ kind: 'earliest' })
  if (options.toLatest) targets.push({ kind: 'latest' })
  if (options.toCurrent) targets.push({ kind: 'current' })
  if (options.toOffset !== undefined) targets.push({ kind: 'offset', offset: wholeNumber('--to-offset', options.toOffset, 0) })
  if (options.toDatetime !== undefined) targets.push({ kind: 'time', timestamp: time('--to-datetime', options.toDatetime) })
  if (options.byDuration !== undefined) targets.push({ kind: 'time', timestamp: now - timeSpan('--by-duration', options.byDuration) })
  if (options.shiftBy !== undefined) targets.push({ kind: 'shift', by: wholeNumber('--shift-by', options.shiftBy, -Number.MAX_SAFE_INTEGER) })
  if (options.fromFile !== undefined) targets.push({ kind: 'file', file: options.fromFile })
  if (targets.length === 1) return targets[0]!
  throw new MillraceError('USAGE', targets.length === 0 ? 'It is not said where to.' : 'It is said in two ways where to.', {
    hint: 'Give one of --to-earliest, --to-latest, --to-current, --to-offset, --to-datetime, --by-duration, --shift-by, --from-file.',
  })
}

/** @throws MillraceError USAGE */
export function time(option: string, text: string): Timestamp {
  const timestamp = parseEventTime(text)
  if (timestamp === null) throw new MillraceError('USAGE', `${option} is ${text}, which is no time.`, { hint: 'For example 2026-01-31T17:05:00+01:00, or milliseconds.' })
  return timestamp
}

export interface PlannedOffset extends TopicPartition {
  /** What is committed now; null if nothing. */
  readonly offset: Offset | null
  readonly newOffset: Offset
}

export interface ResetScope {
  readonly partitions: readonly TopicPartition[]
  readonly committed: ReadonlyMap<string, { readonly offset: Offset }>
}

/** Offsets stay within what the partitions hold. Partitions without a committed offset cannot be shifted and are left out; with `current` they go to the end. */
export async function resetPlan(admin: ClusterAdmin, target: ResetTarget, { partitions, committed }: ResetScope): Promise<readonly PlannedOffset[]> {
  const [begins, ends] = [await admin.listOffsets(partitions, 'earliest'), await admin.listOffsets(partitions, 'latest')]
  const times = target.kind === 'time' ? await admin.listOffsets(partitions, { timestamp: target.timestamp }) : null
  const written = target.kind === 'file' ? await offsetsIn(target.file) : null
  const planned = partitions.flatMap(({ topic, partition }): PlannedOffset[] => {
    const name = partitionName(topic, partition)
    const [begin, end] = [begins.get(name) ?? 0, ends.get(name) ?? 0]
    const offset = committed.get(name)?.offset ?? null
    const wanted = wantedOffset(target, { begin, end, offset, atTime: times?.get(name) ?? -1, written: written?.get(name) ?? null })
    return wanted === null ? [] : [{ topic, partition, offset, newOffset: Math.min(end, Math.max(begin, wanted)) }]
  })
  return planned
}

interface Place {
  readonly begin: Offset
  readonly end: Offset
  readonly offset: Offset | null
  readonly atTime: Offset
  readonly written: Offset | null
}

function wantedOffset(target: ResetTarget, { begin, end, offset, atTime, written }: Place): Offset | null {
  if (target.kind === 'earliest') return begin
  if (target.kind === 'latest') return end
  if (target.kind === 'current') return offset ?? end
  if (target.kind === 'offset') return target.offset
  if (target.kind === 'time') return atTime < 0 ? end : atTime
  if (target.kind === 'shift') return offset === null ? null : offset + target.by
  return written
}

/**
 * Lines of `topic,partition,offset`, as kafka-consumer-groups writes them; NDJSON, as `--json` does; or `{"partitions":[{"topic","partition","offset"}]}`, which kafka-delete-records reads.
 * @throws MillraceError BAD_FILE
 */
export async function offsetsIn(file: string): Promise<ReadonlyMap<string, Offset>> {
  const text = await readFile(file, 'utf8')
  const whole = json(text) as { readonly partitions?: unknown } | null
  const entries = Array.isArray(whole?.partitions) ? whole.partitions.map(entryOf) : lineEntries(text)
  const offsets = new Map<string, Offset>()
  for (const [index, entry] of entries.entries()) {
    if (entry === null) throw new MillraceError('BAD_FILE', `Entry ${index + 1} of ${file} is no topic, partition and offset.`)
    offsets.set(partitionName(entry.topic, entry.partition), entry.offset)
  }
  return offsets
}

interface WrittenOffset extends TopicPartition {
  readonly offset: Offset
}

function lineEntries(text: string): readonly (WrittenOffset | null)[] {
  const lines = text.split(/\r?\n/).map(line => line.trim()).filter(line => line !== '')
  return lines.map(line => (line.startsWith('{') ? entryOf(json(line)) : csvEntry(line)))
}

function csvEntry(line: string): WrittenOffset | null {
  const [, topic, partition, offset] = /^"?([^",]+)"?,\s*(\d+),\s*(\d+)$/.exec(line) ?? []
  return topic === undefined ? null : { topic, partition: Number(partition), offset: Number(offset) }
}

function entryOf(value: unknown): WrittenOffset | null {
  const { topic, partition, offset, newOffset } = (value ?? {}) as { topic?: unknown; partition?: unknown; offset?: unknown; newOffset?: unknown }
  const wanted = newOffset ?? offset
  return typeof topic === 'string' && Number.isSafeInteger(partition) && Number.isSafeInteger(wanted) ? { topic, partition: partition as number, offset: wanted as number } : null
}

/** Null where it is none. */
function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
