// Draws joins: of a stream with a table or a global table, and of two tables.

import type { JoinKind, KeyValueFunction, ValueJoiner } from '../core/topology/node.ts'
import type { Call } from './call.ts'
import { repartitionDraft, throughRepartition } from './draw-stream.ts'
import { storeSettings, tableStore, type StoreChoice } from './draw-store.ts'
import { requireOldValues, requireRows, type GroupChoice } from './draw-table.ts'
import type { GlobalTablePoint, StreamPoint, TablePoint, TableState } from './point.ts'

export interface JoinSaid {
  readonly call: Call
  readonly join: JoinKind
  readonly joiner: ValueJoiner
}

/** Only the stream's side is repartitioned, and only if its key was changed. */
export function drawTableJoin(point: StreamPoint, table: TablePoint, said: JoinSaid, choice: GroupChoice): StreamPoint {
  requireRows(table)
  const { call, join, joiner } = said
  const stream = point.rekeyed ? repartitionedForJoin(point, call, choice) : point
  const path = `${point.path}.${call.verb}-${table.path}`
  const node = point.blueprint.node(call, path, [stream.node], (base, plan) => ({
    ...base,
    kind: 'stream-table-join',
    join,
    table: plan.nodeName(table.node),
    joiner,
  }))
  return { ...point, node, path, key: choice.key ?? stream.key, value: null, rekeyed: false, joinRepartition: null }
}

export function drawGlobalJoin(point: StreamPoint, table: GlobalTablePoint, { call, join, joiner }: JoinSaid, selector: KeyValueFunction): StreamPoint {
  const path = `${point.path}.${call.verb}-${table.global.topic}`
  const node = point.blueprint.node(call, path, [point.node], (base, plan) => ({
    ...base,
    kind: 'stream-global-join',
    join,
    store: plan.storeName(table.global.store),
    selector,
    joiner,
  }))
  return { ...point, node, path, value: null, joinRepartition: null }
}

/** Both tables are looked up by the other; a side that can be missing must know the rows it had, so as not to delete what never was. */
export function drawTablesJoin(
  left: TablePoint,
  right: TablePoint,
  { call, join, joiner }: { readonly call: Call; readonly join: JoinKind | 'outer'; readonly joiner: ValueJoiner },
  choice: StoreChoice | undefined,
): TablePoint {
  requireRows(left)
  requireRows(right)
  if (join !== 'inner') requireOldValues(left, true)
  if (join === 'outer') requireOldValues(right, true)
  const { blueprint } = left
  const settings = storeSettings(choice)
  const path = `${left.path}.${call.verb}-${right.path}`
  const [key, value] = [settings.key ?? left.key, settings.value ?? null]
  const store = settings.name === undefined ? null : tableStore({ blueprint, call, path, key, value }, settings)
  const state: TableState = { parents: [left, right], store, sendsOldValues: false }
  const node = blueprint.node(call, path, [left.node, right.node], (base, plan) => ({
    ...base,
    kind: 'table-join',
    join,
    joiner,
    store: store === null ? null : plan.storeName(store),
    sendsOldValues: state.sendsOldValues,
  }))
  return { blueprint, node, path, key, value, state }
}

/** Unnamed joins of one stream share a repartition, which is called after the stream's last operator; a named join has its own. */
function repartitionedForJoin(point: StreamPoint, call: Call, choice: GroupChoice): StreamPoint {
  if (call.name === null && point.joinRepartition !== null) return point.joinRepartition
  const upstream = point.node.naming.kind === 'given' ? point.node.naming.name : null
  const serdes = { key: choice.key ?? point.key, value: choice.value ?? point.value }
  const draft = repartitionDraft({ ...call, name: call.name ?? upstream }, point.path, serdes)
  const { source } = throughRepartition(point, draft, null)
  const repartitioned = { ...point, node: source, ...serdes, rekeyed: false, joinRepartition: null }
  if (call.name === null) point.joinRepartition = repartitioned
  return repartitioned
}
