// The loose ends of a blueprint that verbs are called on: what a stream or table knows of its serdes, key and state.

import type { TimeWindows } from '../core/window.ts'
import type { Blueprint, Draft, GlobalDraft, RepartitionDraft, SerdeSlot, StoreDraft } from './blueprint.ts'

export interface StreamPoint {
  readonly blueprint: Blueprint
  readonly node: Draft
  /** Path of verbs from the source; observers such as peek are not in it. */
  readonly path: string
  readonly key: SerdeSlot
  readonly value: SerdeSlot
  /** The key may have changed since the records were partitioned: who needs equal keys together must repartition. */
  readonly rekeyed: boolean
  /** The repartition that unnamed joins of this stream share, once one was needed. */
  joinRepartition: StreamPoint | null
}

export interface TablePoint {
  readonly blueprint: Blueprint
  readonly node: Draft
  readonly path: string
  readonly key: SerdeSlot
  readonly value: SerdeSlot
  readonly state: TableState
}

/** What a table node is still to learn from the operators that are put below it. */
export interface TableState {
  /** The tables it is computed from; none for tables of topics, streams and groups, which keep their rows if somebody needs them. */
  readonly parents: readonly TablePoint[]
  /** Null where rows are never kept: a derived table that nobody named. */
  readonly store: StoreDraft | null
  sendsOldValues: boolean
}

export interface GlobalTablePoint {
  readonly blueprint: Blueprint
  readonly global: GlobalDraft
}

/** Records, or the changes of a table, by group. */
export interface GroupedPoint {
  readonly blueprint: Blueprint
  readonly node: Draft
  readonly path: string
  readonly key: SerdeSlot
  readonly value: SerdeSlot
  /** What goes through a repartition before it can be aggregated. */
  readonly repartition: 'none' | 'records' | 'changes'
  /** Given by the user: names the repartition topic, which all aggregations of the grouping then share. */
  readonly name: string | null
  /** That shared repartition, once it was made. */
  shared: Repartitioned | null
}

export interface Repartitioned {
  readonly draft: RepartitionDraft
  readonly source: Draft
}

export interface WindowedPoint {
  readonly grouped: GroupedPoint
  readonly windows: TimeWindows
}

/** How windows are called in a path: `windowedBy-1h`, `windowedBy-1h-10m`. */
export function windowsWord(windows: TimeWindows): string {
  const advance = windows.advanceMs === windows.sizeMs ? '' : `-${lengthWord(windows.advanceMs)}`
  return `windowedBy-${lengthWord(windows.sizeMs)}${advance}`
}

function lengthWord(ms: number): string {
  for (const [unit, unitMs] of UNITS) if (ms % unitMs === 0) return `${ms / unitMs}${unit}`
  return `${ms}ms`
}

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const
