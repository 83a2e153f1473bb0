// Requests and records as metrics: what the broker has counted while it worked.

import { single, type MetricFamily, type MetricSample } from '../../../core/metrics/metric.ts'
import type { Counter, Histogram } from '../../../core/metrics/meter.ts'
import type { BrokerMeters, RequestMeters, TopicMeters } from '../../engine/broker-meters.ts'

export function requestMetrics(meters: BrokerMeters, heldAnswerBytes: number): readonly MetricFamily[] {
  const asked = [...meters.requests].filter(([, { totalSeconds }]) => totalSeconds.count > 0)
  const times = (of: (request: RequestMeters) => Histogram): MetricSample[] => asked.map(([api, request]) => ({ labels: { api }, value: of(request) }))
  const errors = [...meters.requests].flatMap(([api, request]) => [...request.errors].map(([error, { value }]) => ({ labels: { api, error }, value })))
  return [
    { name: 'millrace_request_total_time_seconds', type: 'histogram', help: 'Time from a request to its answer, waiting included, by API.', samples: times(request => request.totalSeconds) },
    { name: 'millrace_request_local_time_seconds', type: 'histogram', help: 'Work on a request until it first waits (for records, fsync, other members), by API.', samples: times(request => request.localSeconds) },
    { name: 'millrace_request_errors', type: 'counter', help: 'Errors in answers, by API and error; one for each topic, partition or group that has one.', samples: errors },
    single('gauge', 'millrace_requests_in_flight', 'Requests that are being answered.', meters.requestsInFlight),
    single('gauge', 'millrace_answers_held_bytes', 'Bytes of records on their way to clients.', heldAnswerBytes),
    single('counter', 'millrace_connections_opened', 'Connections accepted since the start.', meters.connectionsOpened.value),
  ]
}

export function trafficMetrics(meters: BrokerMeters): readonly MetricFamily[] {
  const topics = (of: (topic: TopicMeters) => Counter): Iterable<MetricSample> => ({
    *[Symbol.iterator]() {
      for (const [topic, counters] of meters.topics()) yield { labels: { topic }, value: of(counters).value }
    },
  })
  return [
    { name: 'millrace_topic_in_bytes', type: 'counter', help: 'Bytes of record batches appended, by topic.', samples: topics(topic => topic.bytesIn) },
    { name: 'millrace_topic_in_records', type: 'counter', help: 'Records appended, by topic.', samples: topics(topic => topic.recordsIn) },
    { name: 'millrace_topic_out_bytes', type: 'counter', help: 'Bytes of record batches sent to readers, by topic.', samples: topics(topic => topic.bytesOut) },
    { name: 'millrace_topic_out_records', type: 'counter', help: 'Records sent to readers, by topic.', samples: topics(topic => topic.recordsOut) },
  ]
}

export function choreMetrics(meters: BrokerMeters): readonly MetricFamily[] {
  const histogram = (name: string, help: string, value: Histogram): MetricFamily => ({ name, help, type: 'histogram', samples: [{ labels: {}, value }] })
  return [
    histogram('millrace_log_flush_seconds', 'Time that making a log durable (fsync) took.', meters.flushSeconds),
    single('counter', 'millrace_logs_recovered', 'Logs whose end had to be looked for at the start, as after a crash.', meters.recoveredLogs.value),
    single('counter', 'millrace_log_damages', 'Damaged places found in log files; the log says where.', meters.logDamages.value),
    single('counter', 'millrace_disk_errors', 'Reads, writes and fsyncs of logs that failed.', meters.diskErrors.value),
    histogram('millrace_retention_run_seconds', 'Time that a look for old segments took, over all logs.', meters.retentionSeconds),
    histogram('millrace_compaction_run_seconds', 'Time that a look for logs to compact took, their compaction included.', meters.compactionSeconds),
    single('counter', 'millrace_compaction_read_bytes', 'Bytes of logs before they were compacted.', meters.compactedBytesBefore.value),
    single('counter', 'millrace_compaction_written_bytes', 'What these bytes came to.', meters.compactedBytesAfter.value),
  ]
}
