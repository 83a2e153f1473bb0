// The three aggregations of a stream as two functions: what a group starts from, and one step.

import type { Aggregation } from '../../core/topology/node.ts'

export interface AggregationSteps {
  /** What the first value is added to; it counts as the old value downstream. Null: the first value is the aggregate. */
  readonly first: (() => unknown) | null
  readonly next: (key: unknown, value: unknown, aggregate: unknown) => unknown
}

export function aggregationSteps(aggregation: Aggregation): AggregationSteps {
  if (aggregation.kind === 'count') return { first: () => 0, next: (_key, _value, count) => (count as number) + 1 }
  if (aggregation.kind === 'aggregate') return { first: aggregation.initializer, next: aggregation.aggregator }
  const { reducer } = aggregation
  return { first: null, next: (_key, value, aggregate) => reducer(aggregate, value) }
}
