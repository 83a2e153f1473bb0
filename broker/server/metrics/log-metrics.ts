// Logs as metrics: how large each partition is, where it begins and ends, who writes to it.

import { single, type MetricFamily, type MetricSample } from '../../../core/metrics/metric.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import type { Partition } from '../../engine/partition.ts'

export function logMetrics({ partitions, catalogue }: BrokerState): readonly MetricFamily[] {
  const all = [...partitions.all()]
  const each = (of: (partition: Partition) => number): Iterable<MetricSample> => ({
    *[Symbol.iterator]() {
      for (const partition of all) yield { labels: { topic: partition.topic, partition: partition.index }, value: of(partition) }
    },
  })
  const sum = (of: (partition: Partition) => number): number => all.reduce((total, partition) => total + of(partition), 0)
  return [
    single('gauge', 'millrace_topics', 'Topics, those of the broker itself included.', catalogue.topics.size),
    single('gauge', 'millrace_partitions', 'Partitions of all topics.', all.length),
    { name: 'millrace_log_size_bytes', type: 'gauge', help: 'Bytes of a partition on the disk, indexes aside.', count: all.length, samples: each(({ log }) => log.bytes) },
    { name: 'millrace_log_segments', type: 'gauge', help: 'Segment files of a partition.', count: all.length, samples: each(({ log }) => log.segments.length) },
    { name: 'millrace_log_start_offset', type: 'gauge', help: 'First offset of a partition.', count: all.length, samples: each(({ log }) => log.logStartOffset) },
    { name: 'millrace_log_end_offset', type: 'gauge', help: 'Offset that the next record of a partition will get.', count: all.length, samples: each(({ log }) => log.endOffset) },
    { name: 'millrace_log_high_watermark', type: 'gauge', help: 'Offset below which records of a partition are acknowledged and can be read.', count: all.length, samples: each(partition => partition.highWatermark) },
    single('gauge', 'millrace_producers', 'Idempotent producers that partitions remember, each once for every partition that it wrote to.', sum(({ producers }) => producers.size)),
    single('gauge', 'millrace_transactions_open', 'Open transactions, each once for every partition that it wrote to.', sum(({ transactions }) => transactions.openCount)),
  ]
}
