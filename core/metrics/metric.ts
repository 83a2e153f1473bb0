// What is measured, as plain data: families of samples, in Prometheus' words.

/** All samples of one name. */
export interface MetricFamily {
  /** With the unit last, as in `millrace_request_seconds`; a counter's ending `_total` is left out. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Made while they are asked for, where they are many. */
  readonly samples: Iterable<MetricSample>
  /** How many they are, where that is known before they are made. */
  readonly count?: number
}

export interface MetricSample {
  readonly labels: MetricLabels
  readonly value: number | HistogramValue
}

export type MetricLabels = Readonly<Record<string, string | number>>

export interface HistogramValue {
  /** Upper ends of the buckets, ascending, the end included; the last bucket has none. */
  readonly bounds: readonly number[]
  /** Observations of each bucket alone; one more than bounds. */
  readonly counts: ArrayLike<number>
  readonly sum: number
  readonly count: number
}

/** A family of one sample without labels. */
export function single(type: 'counter' | 'gauge', name: string, help: string, value: number): MetricFamily {
  return { name, help, type, samples: [{ labels: {}, value }] }
}
