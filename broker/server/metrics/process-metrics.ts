// The process as metrics, under the names that Prometheus' own clients use: memory, processor time, delay of the event loop.

import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import type { MetricFamily } from '../../../core/metrics/metric.ts'
import { single } from '../../../core/metrics/metric.ts'

export class ProcessMetrics {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 })

  constructor() {
    this.#delay.enable()
  }

  /** The delays are those since the call before. */
  families(): readonly MetricFamily[] {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    return [
      single('gauge', 'process_resident_memory_bytes', 'Resident memory of the process.', rss),
      single('gauge', 'nodejs_heap_size_used_bytes', 'JavaScript heap that is used.', heapUsed),
      single('gauge', 'nodejs_heap_size_total_bytes', 'JavaScript heap that is reserved.', heapTotal),
      single('gauge', 'nodejs_external_memory_bytes', 'Memory outside of the JavaScript heap, buffers included.', external),
      single('gauge', 'nodejs_array_buffers_bytes', 'Memory of buffers.', arrayBuffers),
      single('counter', 'process_cpu_seconds', 'Processor time of the process, user and system.', (user + system) / 1e6),
      ...this.#delays(),
    ]
  }

  #delays(): readonly MetricFamily[] {
    const delay = this.#delay
    const values = delay.count === 0 ? null : { mean: delay.mean, p99: delay.percentile(99), max: delay.max }
    delay.reset()
    if (values === null) return []
    const gauge = (name: string, what: string, nanoseconds: number): MetricFamily =>
      single('gauge', `nodejs_eventloop_lag_${name}_seconds`, `${what} delay of the event loop since the last look, the timer's 20 ms included.`, nanoseconds / 1e9)
    return [gauge('mean', 'Mean', values.mean), gauge('p99', '99th percentile of the', values.p99), gauge('max', 'Largest', values.max)]
  }

  stop(): void {
    this.#delay.disable()
  }
}
