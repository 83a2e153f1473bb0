// Brings stores up to date: reads from each changelog what its store has not seen yet. Restoring is the fetch half with a store at its end.

import type { LogPort } from '../core/log-port.ts'
import { partitionName, type Offset, type TopicPartition } from '../core/record.ts'
import type { TaskState } from '../state/store.ts'

/** A store that reads a topic's partition: its changelog, or the topic of a global table. */
export interface Restorable extends TopicPartition {
  readonly state: TaskState
  readonly store: string
  /** Name of its offset in the state's checkpoint. */
  readonly checkpoint: string
  /** Whether reading begins at that offset, if there is one. False for what nothing was kept of: the partition's beginning. */
  readonly resumes: boolean
}

export interface RestoreProgress {
  /** Records applied since the last call. */
  readonly restored: number
  /** Offsets still to be read, all partitions together. */
  readonly remaining: number
}

const POLL_MS = 100

/**
 * Reads all of them to their present ends and makes that durable. A store that is ahead of its changelog's end (the log lost
 * something) keeps what it has and reads on from the end.
 */
export async function restoreStores(
  log: LogPort,
  restorables: readonly Restorable[],
  onProgress: (progress: RestoreProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  if (restorables.length === 0) return
  const ends = await log.admin.listOffsets(restorables, 'latest')
  const starts = await log.admin.listOffsets(restorables, 'earliest')
  const open = new Map<string, { readonly target: Restorable; position: Offset; readonly end: Offset }>()
  for (const target of restorables) {
    const name = partitionName(target.topic, target.partition)
    const end = ends.get(name) ?? 0
    const from = target.resumes ? (target.state.checkpoint.changelogOffsets.get(target.checkpoint) ?? 0) : 0
    const position = Math.min(end, Math.max(from, starts.get(name) ?? 0))
    if (position < end) open.set(name, { target, position, end })
  }
  const touched = new Map<TaskState, Map<string, Offset>>()
  for (const { target, end } of open.values()) touched.set(target.state, (touched.get(target.state) ?? new Map<string, Offset>()).set(target.checkpoint, end))
  await readAll(log, open, onProgress, signal)
  if (signal.aborted) return
  for (const [state, offsets] of touched) {
    await state.commitRestored({ changelogOffsets: new Map([...state.checkpoint.changelogOffsets, ...offsets]), clocks: state.checkpoint.clocks })
  }
}

async function readAll(
  log: LogPort,
  open: Map<string, { readonly target: Restorable; position: Offset; readonly end: Offset }>,
  onProgress: (progress: RestoreProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  if (open.size === 0) return
  const reader = log.reader({ maxPartitionBytes: 4 * 1024 * 1024 })
  try {
    reader.assign([...open.values()].map(({ target, position }) => ({ topic: target.topic, partition: target.partition, offset: position })))
    while (open.size > 0 && !signal.aborted) {
      let restored = 0
      for (const fetched of await reader.poll(POLL_MS)) {
        const entry = open.get(partitionName(fetched.topic, fetched.partition))
        if (entry === undefined) continue
        restored += entry.target.state.restore(entry.target.store, fetched.cursor)
        await entry.target.state.restoreSettled()
        entry.position = fetched.nextOffset
        if (entry.position >= entry.end) finish(entry.target, open, reader)
      }
      onProgress({ restored, remaining: [...open.values()].reduce((sum, entry) => sum + entry.end - entry.position, 0) })
    }
  } finally {
    await reader.close()
  }
}

function finish(target: TopicPartition, open: Map<string, unknown>, reader: { pause(partitions: readonly TopicPartition[]): void }): void {
  open.delete(partitionName(target.topic, target.partition))
  reader.pause([target])
}
