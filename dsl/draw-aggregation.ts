// Draws aggregations of grouped streams, windowed or not, and of grouped tables, with the repartition that they need before them.

import { serdes, type Serde } from '../core/serde.ts'
import type { Aggregation, NodeOf } from '../core/topology/node.ts'
import type { DefaultSerdes } from '../core/topology/topology.ts'
import type { Blueprint, Draft, SerdeSlot, StoreDraft } from './blueprint.ts'
import type { Call } from './call.ts'
import { drawStep, repartitionDraft, throughRepartition } from './draw-stream.ts'
import type { GroupChoice } from './draw-table.ts'
import { storeSettings, tableStore, windowStore, type StoreChoice } from './draw-store.ts'
import { keySerde } from './key-serde.ts'
import { windowsWord, type GroupedPoint, type GroupedTablePoint, type Repartitioned, type StreamPoint, type TablePoint, type WindowedPoint } from './point.ts'

export function drawGroupByKey(point: StreamPoint, call: Call, choice: GroupChoice): GroupedPoint {
  const stream = { ...point, path: `${point.path}.groupByKey` }
  return { stream, key: choice.key ?? point.key, value: choice.value ?? point.value, name: call.name, shared: null }
}

export function drawGroupBy(point: StreamPoint, call: Call, selector: NodeOf<'select-key'>['selector'], choice: GroupChoice): GroupedPoint {
  const stream = drawStep(point, call, { kind: 'select-key', selector })
  return { stream, key: choice.key ?? null, value: choice.value ?? point.value, name: call.name, shared: null }
}

/** Per key: one row for each. */
export function drawAggregate(grouped: GroupedPoint, call: Call, aggregation: Aggregation, choice: StoreChoice | undefined): TablePoint {
  const { blueprint } = grouped.stream
  const path = `${grouped.stream.path}.${call.verb}`
  const settings = storeSettings(choice)
  const key = settings.key ?? grouped.key
  const value = settings.value ?? valueOf(aggregation.kind, grouped.value)
  const store = tableStore(blueprint, call, path, settings, key, value)
  const parent = groupedSource(grouped, call, path, store, aggregation.kind)
  return aggregateTable({ blueprint, call, path, key, value, store }, parent, (base, table) => ({ ...base, kind: 'aggregate', aggregation, ...table }))
}

/** Per key and window. */
export function drawWindowAggregate(windowed: WindowedPoint, call: Call, aggregation: Aggregation, choice: StoreChoice | undefined): TablePoint {
  const { grouped, windows } = windowed
  const { blueprint } = grouped.stream
  const path = `${grouped.stream.path}.${windowsWord(windows)}.${call.verb}`
  const settings = storeSettings(choice)
  const inner = settings.key ?? grouped.key
  const value = settings.value ?? valueOf(aggregation.kind, grouped.value)
  const store = windowStore(blueprint, call, path, settings, windows, inner, value)
  const parent = groupedSource(grouped, call, path, store, aggregation.kind)
  const key = (defaults: DefaultSerdes): Serde<unknown> => serdes.windowed(keySerde(inner, defaults), windows)
  return aggregateTable({ blueprint, call, path, key, value, store }, parent, (base, table) => ({ ...base, kind: 'window-aggregate', windows, aggregation, ...table }))
}

/** Of a grouped table: always behind a repartition, for the rows of a group come from everywhere. */
export function drawTableAggregate(grouped: GroupedTablePoint, call: Call, aggregation: NodeOf<'table-aggregate'>['aggregation'], choice: StoreChoice | undefined): TablePoint {
  const { blueprint } = grouped.table
  const path = `${grouped.path}.${call.verb}`
  const settings = storeSettings(choice)
  const key = settings.key ?? grouped.key
  const value = settings.value ?? valueOf(aggregation.kind, grouped.value)
  const store = tableStore(blueprint, call, path, settings, key, value)
  const parent = groupedTableSource(grouped, call, path, store, aggregation.kind)
  return aggregateTable({ blueprint, call, path, key, value, store }, parent, (base, table) => ({ ...base, kind: 'table-aggregate', aggregation, ...table }))
}

function valueOf(kind: Aggregation['kind'], grouped: SerdeSlot): SerdeSlot {
  return kind === 'count' ? serdes.int64 : kind === 'reduce' ? grouped : null
}

function groupedSource(grouped: GroupedPoint, call: Call, path: string, store: StoreDraft, kind: Aggregation['kind']): Draft {
  if (!grouped.stream.rekeyed) return grouped.stream.node
  return sharedRepartition(grouped, grouped.stream, false, call, path, store, kind)
}

function groupedTableSource(grouped: GroupedTablePoint, call: Call, path: string, store: StoreDraft, kind: Aggregation['kind']): Draft {
  return sharedRepartition(grouped, { blueprint: grouped.table.blueprint, node: grouped.node }, true, call, path, store, kind)
}

/** A named grouping has one repartition for all its aggregations; an unnamed one makes a new one for each, called after the store. */
function sharedRepartition(
  grouped: { readonly name: string | null; readonly key: SerdeSlot; readonly value: SerdeSlot; shared: Repartitioned | null },
  from: { readonly blueprint: Blueprint; readonly node: Draft },
  changes: boolean,
  call: Call,
  path: string,
  store: StoreDraft,
  kind: Aggregation['kind'],
): Draft {
  const repartitioned = grouped.shared ?? throughRepartition(from, draft(), null)
  if (kind !== 'count') repartitioned.draft.valueMatters = true
  if (grouped.name !== null) grouped.shared = repartitioned
  return repartitioned.source

  function draft(): Repartitioned['draft'] {
    const base = repartitionDraft(call, grouped.name, path, grouped.key, grouped.value)
    const naming = grouped.name === null ? { kind: 'derived' as const, from: store, suffix: '' } : base.naming
    return { ...base, naming, changes, valueMatters: false }
  }
}

interface AggregateParts {
  readonly blueprint: Blueprint
  readonly call: Call
  readonly path: string
  readonly key: SerdeSlot
  readonly value: SerdeSlot
  readonly store: StoreDraft
}

function aggregateTable(
  parts: AggregateParts,
  parent: Draft,
  emit: (
    base: Pick<NodeOf<'aggregate'>, 'name' | 'parents' | 'site'>,
    table: Pick<NodeOf<'aggregate'>, 'store' | 'sendsOldValues'>,
  ) => NodeOf<'aggregate' | 'window-aggregate' | 'table-aggregate'>,
): TablePoint {
  const { blueprint, call, path, key, value, store } = parts
  store.used = true
  const state = { parent: null, store, sendsOldValues: false }
  const node = blueprint.node(call, path, [parent], (base, plan) => emit(base, { store: plan.storeName(store), sendsOldValues: state.sendsOldValues }))
  return { blueprint, node, path, key, value, state }
}
