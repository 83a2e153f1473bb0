// What the settings of a topic come to for the logs of its partitions.

import type { TopicSettings } from '../kernel/topic-config.ts'
import type { LogSettings } from '../log/segment-rolling.ts'

/** A compacted topic goes on to a new segment in time for what lies in the old one to be compacted when it must, as in Kafka. */
export function logSettings(settings: TopicSettings): LogSettings {
  const { segmentBytes, segmentJitterMs, indexIntervalBytes, segmentIndexBytes, fileDeleteDelayMs, compact, maxCompactionLagMs } = settings
  const segmentMs = compact ? Math.min(settings.segmentMs, maxCompactionLagMs) : settings.segmentMs
  return { segmentBytes, segmentMs, segmentJitterMs, indexIntervalBytes, segmentIndexBytes, fileDeleteDelayMs }
}
