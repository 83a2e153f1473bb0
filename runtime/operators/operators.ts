// The table that says which operator runs each kind of node. A kind without an operator does not compile.

import type { NodeKind, NodeOf, TopologyNode } from '../../core/topology/node.ts'
import { AggregateOperator } from './aggregate.ts'
import { FilterOperator } from './filter.ts'
import { FlatMapOperator, FlatMapValuesOperator } from './flat-map.ts'
import { MapOperator, MapValuesOperator, SelectKeyOperator } from './map.ts'
import type { Operator } from './operator.ts'
import { PassOperator } from './pass.ts'
import { PeekOperator } from './peek.ts'
import { ProcessOperator } from './process.ts'
import { RepartitionSinkOperator } from './repartition-sink.ts'
import { SinkOperator } from './sink.ts'
import { SplitOperator } from './split.ts'
import { StreamGlobalJoinOperator } from './stream-global-join.ts'
import { StreamTableJoinOperator } from './stream-table-join.ts'
import { TableAggregateOperator } from './table-aggregate.ts'
import { TableFilterOperator } from './table-filter.ts'
import { TableGroupOperator } from './table-group.ts'
import { TableJoinOperator } from './table-join.ts'
import { TableMapValuesOperator } from './table-map-values.ts'
import { TableSourceOperator } from './table-source.ts'
import { TableToStreamOperator } from './table-to-stream.ts'
import type { TaskContext } from './task-context.ts'
import { WindowAggregateOperator } from './window-aggregate.ts'

const operators = {
  source: PassOperator,
  'repartition-source': PassOperator,
  'repartition-sink': RepartitionSinkOperator,
  sink: SinkOperator,
  filter: FilterOperator,
  map: MapOperator,
  'map-values': MapValuesOperator,
  'flat-map': FlatMapOperator,
  'flat-map-values': FlatMapValuesOperator,
  'select-key': SelectKeyOperator,
  peek: PeekOperator,
  'for-each': PeekOperator,
  split: SplitOperator,
  pass: PassOperator,
  'table-source': TableSourceOperator,
  'table-filter': TableFilterOperator,
  'table-map-values': TableMapValuesOperator,
  'table-to-stream': TableToStreamOperator,
  'table-group': TableGroupOperator,
  aggregate: AggregateOperator,
  'window-aggregate': WindowAggregateOperator,
  'table-aggregate': TableAggregateOperator,
  'stream-table-join': StreamTableJoinOperator,
  'stream-global-join': StreamGlobalJoinOperator,
  'table-join': TableJoinOperator,
  process: ProcessOperator,
} satisfies { readonly [Kind in NodeKind]: new (node: NodeOf<Kind>, context: TaskContext) => Operator }

export function createOperator(node: TopologyNode, context: TaskContext): Operator {
  const Kind = operators[node.kind] as new (node: TopologyNode, context: TaskContext) => Operator
  return new Kind(node, context)
}
