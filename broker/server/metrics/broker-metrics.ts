// All metrics of a broker, as data, with a bound on how much each shows.

import { single, type MetricFamily, type MetricSample } from '../../../core/metrics/metric.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { groupMetrics } from './group-metrics.ts'
import { logMetrics } from './log-metrics.ts'
import { transactionMetrics } from './transaction-metrics.ts'
import { choreMetrics, requestMetrics, trafficMetrics } from './request-metrics.ts'

/** What the server of a broker knows of its clients, now. */
export interface ClientGauges {
  readonly connections: number
  readonly heldRequestBytes: number
}

export function brokerMetrics(broker: BrokerState, { connections, heldRequestBytes }: ClientGauges): readonly MetricFamily[] {
  const { meters, config, clusterId, nodeId } = broker
  const families: readonly MetricFamily[] = [
    { name: 'millrace_broker_info', type: 'gauge', help: 'Which broker this is; the value is always 1.', samples: [{ labels: { cluster_id: clusterId, node_id: nodeId }, value: 1 }] },
    single('gauge', 'millrace_connections', 'Open connections.', connections),
    single('gauge', 'millrace_requests_held_bytes', 'Bytes of requests that have come and are not answered yet.', heldRequestBytes),
    ...requestMetrics(meters, broker.answerMemory.heldBytes),
    ...trafficMetrics(meters),
    ...logMetrics(broker),
    ...groupMetrics(broker),
    ...transactionMetrics(broker),
    ...choreMetrics(meters),
  ]
  return bounded(families, config.number('millrace.metrics.max.series'))
}

/** Topics, partitions and groups are as many as clients like; an answer is not. */
function bounded(families: readonly MetricFamily[], maxSeries: number): readonly MetricFamily[] {
  const leftOut: MetricSample[] = []
  const shown = families.map(family => {
    const samples: MetricSample[] = []
    let count = 0
    for (const sample of family.samples) {
      if (++count <= maxSeries) samples.push(sample)
      else if (family.count !== undefined) break
    }
    count = family.count ?? count
    if (count > maxSeries) leftOut.push({ labels: { metric: family.name }, value: count - maxSeries })
    return { ...family, samples }
  })
  return [...shown, { name: 'millrace_metrics_series_left_out', type: 'gauge', help: 'Series that a metric does not show, for there are more than millrace.metrics.max.series.', samples: leftOut }]
}
