// Draws the verbs of a table, and decides which tables are kept in stores and which must say their old values.

import type { KeyValueFunction, NodeOf, Predicate } from '../core/topology/node.ts'
import type { Serde } from '../core/serde.ts'
import type { NodeBase, SerdeSlot } from './blueprint.ts'
import type { Call } from './call.ts'
import { storeSettings, tableStore, type StoreChoice, type StoreSettings } from './draw-store.ts'
import type { GroupedPoint, StreamPoint, TablePoint, TableState } from './point.ts'

export function drawTableFilter(point: TablePoint, call: Call, test: { readonly predicate: Predicate; readonly negated: boolean }, choice: StoreChoice | undefined): TablePoint {
  // A filter that knows the old value keeps back tombstones of rows that never matched; it asks for it where that costs no new store.
  const sendsOldValues = requireOldValues(point, false)
  const table = { call, settings: storeSettings(choice), inherited: point.value, sendsOldValues }
  return derived(point, table, (base, state) => ({ ...base, kind: 'table-filter', ...test, ...state }))
}

export function drawTableMapValues(point: TablePoint, call: Call, map: Pick<NodeOf<'table-map-values'>, 'mapper' | 'seesNulls'>, choice: StoreChoice | undefined): TablePoint {
  const table = { call, settings: storeSettings(choice), inherited: null, sendsOldValues: false }
  return derived(point, table, (base, state) => ({ ...base, kind: 'table-map-values', ...map, ...state }))
}

export function drawToStream(point: TablePoint, call: Call, selector: KeyValueFunction | null): StreamPoint {
  const path = `${point.path}.toStream`
  const node = point.blueprint.node(call, path, [point.node], base => ({ ...base, kind: 'table-to-stream', selector }))
  const key = selector === null ? point.key : null
  return { blueprint: point.blueprint, node, path, key, value: point.value, rekeyed: selector !== null, joinRepartition: null }
}

export interface GroupChoice {
  readonly key?: Serde<unknown> | undefined
  readonly value?: Serde<unknown> | undefined
}

/** A row that leaves its group must be taken off there: the old value is needed, so the table must be kept. */
export function drawTableGroup(point: TablePoint, call: Call, mapper: NodeOf<'table-group'>['mapper'], choice: GroupChoice): GroupedPoint {
  requireOldValues(point, true)
  const path = `${point.path}.groupBy`
  const node = point.blueprint.node(call, path, [point.node], base => ({ ...base, kind: 'table-group', mapper }))
  return { blueprint: point.blueprint, node, path, key: choice.key ?? null, value: choice.value ?? null, repartition: 'changes', name: call.name, shared: null }
}

/** For whoever looks rows up in this table: makes sure that it, or the first table above that can be, is kept. */
export function requireRows(point: TablePoint): void {
  const { state } = point
  if (state.store === null) for (const parent of state.parents) requireRows(parent)
  else state.store.used = true
}

/** Makes the table say old values; with `force` even if a store must be made for it. False: it cannot without. */
export function requireOldValues(point: TablePoint, force: boolean): boolean {
  const { state } = point
  if (state.sendsOldValues) return true
  if (state.store === null || state.parents.length > 1) {
    // A join has its old values from both sides, even if it keeps its rows.
    if (!state.parents.every(parent => requireOldValues(parent, force))) return false
  } else {
    if (!force && !state.store.used) return false
    state.store.used = true
  }
  state.sendsOldValues = true
  return true
}

type DerivedNode = NodeOf<'table-filter' | 'table-map-values'>

interface DerivedTable {
  readonly call: Call
  readonly settings: StoreSettings
  /** The value serde it has from its parent. */
  readonly inherited: SerdeSlot
  readonly sendsOldValues: boolean
}

function derived(parent: TablePoint, table: DerivedTable, emit: (base: NodeBase, state: Pick<DerivedNode, 'store' | 'sendsOldValues'>) => DerivedNode): TablePoint {
  const { blueprint } = parent
  const { call, settings, inherited, sendsOldValues } = table
  const path = `${parent.path}.${call.verb}`
  const [key, value] = [settings.key ?? parent.key, settings.value ?? inherited]
  const store = settings.name === undefined ? null : tableStore({ blueprint, call, path, key, value }, settings)
  const state: TableState = { parents: [parent], store, sendsOldValues }
  const node = blueprint.node(call, path, [parent.node], (base, plan) =>
    emit(base, { store: store === null ? null : plan.storeName(store), sendsOldValues: state.sendsOldValues }),
  )
  return { blueprint, node, path, key, value, state }
}
