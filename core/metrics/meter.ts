// What counts and measures on the path of a record: a number to add to, and buckets of fixed bounds. Neither allocates.

import type { HistogramValue } from './metric.ts'

export class Counter {
  value = 0

  add(amount = 1): void {
    this.value += amount
  }
}

export class Histogram implements HistogramValue {
  readonly bounds: readonly number[]
  readonly counts: Float64Array
  sum = 0
  count = 0

  /** `bounds`: ascending; see {@link HistogramValue}. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += value
    this.count++
  }
}

/** From half a millisecond to ten seconds. */
export const latencyBoundsSeconds: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
