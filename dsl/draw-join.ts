// Draws joins of a stream with a table or a global table.

import type { JoinKind, KeyValueFunction, ValueJoiner } from '../core/topology/node.ts'
import type { Call } from './call.ts'
import { repartitionDraft, throughRepartition } from './draw-stream.ts'
import { requireRows, type GroupChoice } from './draw-table.ts'
import type { GlobalTablePoint, StreamPoint, TablePoint } from './point.ts'

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
