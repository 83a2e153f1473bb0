// Draws aggregations of grouped streams, windowed or not, and of grouped tables, with the repartition that they need before them.

import { serdes } from '../core/serde.ts'
import type { Aggregation, NodeOf } from '../core/topology/node.ts'
import type { Draft, NodeBase, RepartitionDraft, SerdeSlot, StoreDraft } from './blueprint.ts'
import type { Call } from './call.ts'
import { drawStep, repartitionDraft, throughRepartition } from './draw-stream.ts'
import type { GroupChoice } from './draw-table.ts'
import { storeSettings, tableStore, windowStore, type StoreChoice, type StorePlace, type StoreSettings } from './draw-store.ts'
import { keySerde } from './key-serde.ts'
import { windowsWord, type GroupedPoint, type StreamPoint, type TablePoint, type WindowedPoint } from './point.ts'

export function drawGroupByKey(point: StreamPoint, call: Call, choice: GroupChoice): GroupedPoint {
  const { blueprint, node } = point
  const serdes = { key: choice.key ?? point.key, value: choice.value ?? point.value }
  return { blueprint, node, path: `${point.path}.groupByKey`, ...serdes, repartition: point.rekeyed ? 'records' : 'none', name: call.name, shared: null }
}

export function drawGroupBy(point: StreamPoint, call: Call, selector: NodeOf<'select-key'>['selector'], choice: GroupChoice): GroupedPoint {
  const { blueprint, node, path } = drawStep(point, call, { kind: 'select-key', selector })
  return { blueprint, node, path, key: choice.key ?? null, value: choice.value ?? point.value, repartition: 'records', name: call.name, shared: null }
}

/** Per key: one row for each. */
export function drawAggregate(grouped: GroupedPoint, call: Call, aggregation: Aggregation, choice: StoreChoice | undefined): TablePoint {
  const settings = storeSettings(choice)
  const place = placeOf(grouped, call, aggregation.kind, settings)
  const store = tableStore(place, settings)
  const parent = groupedSource(grouped, place, store, aggregation.kind)
  return aggregateTable(place, store, parent, (base, table) => ({ ...base, kind: 'aggregate', aggregation, ...table }))
}

/** Per key and window. */
export function drawWindowAggregate({ grouped, windows }: WindowedPoint, call: Call, aggregation: Aggregation, choice: StoreChoice | undefined): TablePoint {
  const settings = storeSettings(choice)
  const path = `${grouped.path}.${windowsWord(windows)}`
  const place = placeOf({ ...grouped, path }, call, aggregation.kind, settings)
  const store = windowStore(place, settings, windows)
  const parent = groupedSource(grouped, place, store, aggregation.kind)
  const key: SerdeSlot = defaults => serdes.windowed(keySerde(place.key, defaults), windows)
  return aggregateTable({ ...place, key }, store, parent, (base, table) => ({ ...base, kind: 'window-aggregate', windows, aggregation, ...table }))
}

/** Of a grouped table: always behind a repartition, for the rows of a group come from everywhere. */
export function drawTableAggregate(grouped: GroupedPoint, call: Call, aggregation: NodeOf<'table-aggregate'>['aggregation'], choice: StoreChoice | undefined): TablePoint {
  const settings = storeSettings(choice)
  const place = placeOf(grouped, call, aggregation.kind, settings)
  const store = tableStore(place, settings)
  const parent = groupedSource(grouped, place, store, aggregation.kind)
  return aggregateTable(place, store, parent, (base, table) => ({ ...base, kind: 'table-aggregate', aggregation, ...table }))
}

function placeOf(grouped: GroupedPoint, call: Call, kind: Aggregation['kind'], settings: StoreSettings): StorePlace {
  const inherited = { count: serdes.int64, reduce: grouped.value, aggregate: null }[kind]
  return { blueprint: grouped.blueprint, call, path: `${grouped.path}.${call.verb}`, key: settings.key ?? grouped.key, value: settings.value ?? inherited }
}

/** A named grouping has one repartition for all its aggregations; an unnamed one makes a new one for each, called after the store. */
function groupedSource(grouped: GroupedPoint, place: StorePlace, store: StoreDraft, kind: Aggregation['kind']): Draft {
  if (grouped.repartition === 'none') return grouped.node
  const repartitioned = grouped.shared ?? throughRepartition(grouped, groupedRepartition(grouped, place, store), null)
  if (kind !== 'count') repartitioned.draft.valueMatters = true
  if (grouped.name !== null) grouped.shared = repartitioned
  return repartitioned.source
}

function groupedRepartition(grouped: GroupedPoint, { call, path }: StorePlace, store: StoreDraft): RepartitionDraft {
  const draft = repartitionDraft({ ...call, name: grouped.name }, path, grouped)
  const naming = grouped.name === null ? ({ kind: 'derived', from: store, suffix: '' } as const) : draft.naming
  return { ...draft, naming, changes: grouped.repartition === 'changes', valueMatters: false }
}

type AggregateNode = NodeOf<'aggregate' | 'window-aggregate' | 'table-aggregate'>

function aggregateTable(place: StorePlace, store: StoreDraft, parent: Draft, emit: (base: NodeBase, table: Pick<AggregateNode, 'store' | 'sendsOldValues'>) => AggregateNode): TablePoint {
  const { blueprint, call, path, key, value } = place
  store.used = true
  const state = { parents: [], store, sendsOldValues: false }
  const node = blueprint.node(call, path, [parent], (base, plan) => emit(base, { store: plan.storeName(store), sendsOldValues: state.sendsOldValues }))
  return { blueprint, node, path, key, value, state }
}
