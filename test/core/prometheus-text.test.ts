// Metrics as text: what is written is read again, whatever labels and values are.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Histogram } from '../../core/metrics/meter.ts'
import { prometheusText } from '../../core/metrics/prometheus-text.ts'
import { parseExposition } from './exposition.ts'

test('a counter, a gauge with labels, a histogram; nothing of a family without samples', () => {
  const times = new Histogram([0.1, 1])
  for (const value of [0.05, 0.1, 0.5, 7]) times.observe(value)
  const text = prometheusText([
    { name: 'a', type: 'counter', help: 'How "many"\nthere \\ are.', samples: [{ labels: {}, value: 3 }] },
    { name: 'none', type: 'gauge', help: 'Nothing.', samples: [] },
    { name: 'b_bytes', type: 'gauge', help: 'Size.', samples: [{ labels: { topic: 'x "y" \\z\n', partition: 0 }, value: 1e21 }] },
    { name: 'c_seconds', type: 'histogram', help: 'Time.', samples: [{ labels: { api: 'Fetch' }, value: times }] },
  ])
  expect(text).toBe(String.raw`# HELP a_total How "many"\nthere \\ are.
# TYPE a_total counter
a_total 3
# HELP b_bytes Size.
# TYPE b_bytes gauge
b_bytes{topic="x \"y\" \\z\n",partition="0"} 1e+21
# HELP c_seconds Time.
# TYPE c_seconds histogram
c_seconds_bucket{api="Fetch",le="0.1"} 2
c_seconds_bucket{api="Fetch",le="1"} 3
c_seconds_bucket{api="Fetch",le="+Inf"} 4
c_seconds_sum{api="Fetch"} 7.65
c_seconds_count{api="Fetch"} 4
`)
})

test('OpenMetrics: counters are named without their ending, bounds are written with a point, the end is said', () => {
  const times = new Histogram([1])
  const text = prometheusText([{ name: 'a', type: 'counter', help: 'A.', samples: [{ labels: {}, value: 1 }] }, { name: 'b', type: 'histogram', help: 'B.', samples: [{ labels: {}, value: times }] }], 'openmetrics')
  expect(text).toBe('# HELP a A.\n# TYPE a counter\na_total 1\n# HELP b B.\n# TYPE b histogram\nb_bucket{le="1.0"} 0\nb_bucket{le="+Inf"} 0\nb_sum 0\nb_count 0\n# EOF\n')
})

test('every label and value is read again as it was, but for a NUL, at which Prometheus would end', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.string({ unit: 'binary' })), fc.double(), fc.boolean(), (names, value, openMetrics) => {
    const samples = names.map(name => ({ labels: { name }, value }))
    const text = prometheusText([{ name: 'm', type: 'gauge', help: 'x', samples }], openMetrics ? 'openmetrics' : 'prometheus')
    const read = parseExposition(text, openMetrics).get('m')?.samples ?? []
    expect(read.map(sample => sample.labels['name'])).toEqual(names.map(name => name.replaceAll('\0', '\u2400')))
    expect(text).not.toContain('\0')
    for (const sample of read) expect(sample.value === value || (Number.isNaN(value) && Number.isNaN(sample.value))).toBe(true)
  }))
})
