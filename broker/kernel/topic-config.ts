// The settings of a topic: Kafka's names and defaults, and what they come to for one topic on this broker.

import { nearestName } from '../../core/nearest-name.ts'
import type { ErrorName } from '../wire/error-code.ts'
import { configProblem, listOf, maxLong, type ConfigDefinition } from './config-definition.ts'

/** Partition and broker of each, or all. */
const throttledReplicas = /^(\*|(\d+:\d+)?(\s*,\s*(\d+:\d+)?)*)$/

export const topicConfigs: ReadonlyMap<string, ConfigDefinition> = new Map(
  (
    [
      { name: 'cleanup.policy', type: 'list', default: 'delete', oneOf: ['compact', 'delete'], synonyms: [{ name: 'log.cleanup.policy' }], documentation: 'What happens to old records: delete, compact, or both.' },
      { name: 'compression.gzip.level', type: 'int', default: '-1', min: -1, max: 9, documentation: 'Kept for compatibility; where the broker compresses it does so at the default level.' },
      { name: 'compression.lz4.level', type: 'int', default: '9', min: 1, max: 17, documentation: 'Kept for compatibility; where the broker compresses it does so at the default level.' },
      { name: 'compression.type', type: 'string', default: 'producer', oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'], synonyms: [{ name: 'compression.type' }], documentation: 'Compression of the batches on the disk; producer keeps what the producer chose.' },
      { name: 'compression.zstd.level', type: 'int', default: '3', min: -131072, max: 22, documentation: 'Kept for compatibility; where the broker compresses it does so at the default level.' },
      { name: 'delete.retention.ms', type: 'long', default: '86400000', min: 0, synonyms: [{ name: 'log.cleaner.delete.retention.ms' }], documentation: 'How long a compacted topic keeps tombstones, milliseconds.' },
      { name: 'file.delete.delay.ms', type: 'long', default: '60000', min: 0, synonyms: [{ name: 'log.segment.delete.delay.ms' }], documentation: 'How long the bytes of removed segments stay on the disk, under another name, milliseconds; after the disk was full they go at once for an hour.' },
      { name: 'flush.messages', type: 'long', default: maxLong, min: 1, synonyms: [{ name: 'log.flush.interval.messages' }], documentation: 'Records between two fsyncs where acknowledgements do not wait for each (millrace.flush=os).' },
      { name: 'flush.ms', type: 'long', default: maxLong, min: 0, synonyms: [{ name: 'log.flush.interval.ms' }], documentation: 'Longest time that a record is not on the disk where acknowledgements do not wait for that (millrace.flush=os), milliseconds.' },
      { name: 'follower.replication.throttled.replicas', type: 'list', default: '', pattern: throttledReplicas, documentation: 'Kept for compatibility.' },
      { name: 'index.interval.bytes', type: 'int', default: '4096', min: 0, synonyms: [{ name: 'log.index.interval.bytes' }], documentation: 'Bytes between two entries of the offset index.' },
      { name: 'leader.replication.throttled.replicas', type: 'list', default: '', pattern: throttledReplicas, documentation: 'Kept for compatibility.' },
      { name: 'local.retention.bytes', type: 'long', default: '-2', min: -2, documentation: 'Kept for compatibility.' },
      { name: 'local.retention.ms', type: 'long', default: '-2', min: -2, documentation: 'Kept for compatibility.' },
      { name: 'max.compaction.lag.ms', type: 'long', default: maxLong, min: 1, synonyms: [{ name: 'log.cleaner.max.compaction.lag.ms' }], documentation: 'Longest time that a record stays uncompacted, milliseconds.' },
      { name: 'max.message.bytes', type: 'int', default: '1048588', min: 0, synonyms: [{ name: 'message.max.bytes' }], documentation: 'Largest record batch, bytes.' },
      { name: 'message.timestamp.after.max.ms', type: 'long', default: '3600000', min: 0, synonyms: [{ name: 'log.message.timestamp.after.max.ms' }], documentation: 'How far ahead of the broker a timestamp may be, milliseconds.' },
      { name: 'message.timestamp.before.max.ms', type: 'long', default: maxLong, min: 0, synonyms: [{ name: 'log.message.timestamp.before.max.ms' }], documentation: 'How far behind the broker a timestamp may be, milliseconds.' },
      { name: 'message.timestamp.type', type: 'string', default: 'CreateTime', oneOf: ['CreateTime', 'LogAppendTime'], synonyms: [{ name: 'log.message.timestamp.type' }], documentation: 'Whether the producer or the broker says when a record is.' },
      { name: 'min.cleanable.dirty.ratio', type: 'double', default: '0.5', min: 0, max: 1, synonyms: [{ name: 'log.cleaner.min.cleanable.ratio' }], documentation: 'Share of uncompacted bytes from which a log is compacted.' },
      { name: 'min.compaction.lag.ms', type: 'long', default: '0', min: 0, synonyms: [{ name: 'log.cleaner.min.compaction.lag.ms' }], documentation: 'Shortest time that a record stays uncompacted, milliseconds.' },
      { name: 'min.insync.replicas', type: 'int', default: '1', min: 1, synonyms: [{ name: 'min.insync.replicas' }], documentation: 'Kept for compatibility: replicas that must have a record before it is acknowledged, at most as many as there are, which is one.' },
      { name: 'preallocate', type: 'boolean', default: 'false', synonyms: [{ name: 'log.preallocate' }], documentation: 'Kept for compatibility; files grow as they are written.' },
      { name: 'remote.log.copy.disable', type: 'boolean', default: 'false', documentation: 'Kept for compatibility.' },
      { name: 'remote.log.delete.on.disable', type: 'boolean', default: 'false', documentation: 'Kept for compatibility.' },
      { name: 'remote.storage.enable', type: 'boolean', default: 'false', oneOf: ['false'], documentation: 'Kept for compatibility; there is no remote storage.' },
      { name: 'retention.bytes', type: 'long', default: '-1', min: -1, synonyms: [{ name: 'log.retention.bytes' }], documentation: 'Most bytes of a partition before its oldest segments are deleted; -1: no limit.' },
      {
        name: 'retention.ms', type: 'long', default: '604800000', min: -1, documentation: 'How long records are kept, milliseconds; -1: for ever.',
        synonyms: [{ name: 'log.retention.ms' }, { name: 'log.retention.minutes', factor: 60_000 }, { name: 'log.retention.hours', factor: 3_600_000 }],
      },
      { name: 'segment.bytes', type: 'int', default: '1073741824', min: 14, synonyms: [{ name: 'log.segment.bytes' }], documentation: 'Largest file of a partition, bytes.' },
      { name: 'segment.index.bytes', type: 'int', default: '10485760', min: 4, synonyms: [{ name: 'log.index.size.max.bytes' }], documentation: 'Largest offset index, bytes.' },
      { name: 'segment.jitter.ms', type: 'long', default: '0', min: 0, synonyms: [{ name: 'log.roll.jitter.ms' }], documentation: 'By how much segment.ms is shortened at most, by chance for each segment, so that not all begin a new one at once, milliseconds.' },
      { name: 'segment.ms', type: 'long', default: '604800000', min: 1, synonyms: [{ name: 'log.roll.ms' }, { name: 'log.roll.hours', factor: 3_600_000 }], documentation: 'Longest time that one file is written to, by the timestamps in it, milliseconds.' },
      { name: 'unclean.leader.election.enable', type: 'boolean', default: 'false', synonyms: [{ name: 'unclean.leader.election.enable' }], documentation: 'Kept for compatibility; a leader always has what was acknowledged.' },
    ] satisfies ConfigDefinition[]
  ).map(definition => [definition.name, definition]),
)

/** A topic's own settings, or changes to them. */
export type ConfigOverrides = Readonly<Record<string, string>>

/** What the settings of a topic come to. Numbers of longs are exact below 2^53 and as good as endless above. */
export interface TopicSettings {
  readonly compact: boolean
  readonly delete: boolean
  /** `producer`: as it comes; `uncompressed`, or the name of a codec. */
  readonly compression: string
  readonly deleteRetentionMs: number
  readonly fileDeleteDelayMs: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly indexIntervalBytes: number
  readonly maxCompactionLagMs: number
  readonly maxMessageBytes: number
  readonly timestampAfterMaxMs: number
  readonly timestampBeforeMaxMs: number
  readonly logAppendTime: boolean
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  /** -1: no limit; so is retentionMs. */
  readonly retentionBytes: number
  readonly retentionMs: number
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly segmentJitterMs: number
  readonly segmentMs: number
}

/** `value` gives what a setting of the topic comes to. */
export function topicSettings(value: (name: string) => string): TopicSettings {
  const policies = listOf(value('cleanup.policy'))
  const number = (name: string): number => Number(value(name))
  return {
    compact: policies.includes('compact'),
    delete: policies.includes('delete'),
    compression: value('compression.type'),
    deleteRetentionMs: number('delete.retention.ms'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    indexIntervalBytes: number('index.interval.bytes'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    maxMessageBytes: number('max.message.bytes'),
    timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    logAppendTime: value('message.timestamp.type') === 'LogAppendTime',
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    retentionBytes: number('retention.bytes'),
    retentionMs: number('retention.ms'),
    segmentBytes: number('segment.bytes'),
    segmentIndexBytes: number('segment.index.bytes'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentMs: number('segment.ms'),
  }
}

/** Why a request is refused: Kafka's error and a sentence. */
export interface Refusal {
  readonly error: ErrorName
  readonly message: string
}

/** What is wrong with a topic's own settings; null if nothing. */
export function topicConfigRefusal(overrides: Readonly<Record<string, string | null>>): Refusal | null {
  for (const [name, value] of Object.entries(overrides)) {
    const definition = topicConfigs.get(name)
    if (definition === undefined) {
      const nearest = nearestName(name, topicConfigs.keys())
      return { error: 'INVALID_CONFIG', message: `Unknown topic config name: ${name}.${nearest === null ? '' : ` Did you mean ${nearest}?`}` }
    }
    const problem = configProblem(definition, value)
    if (problem !== null) return { error: 'INVALID_CONFIG', message: problem }
  }
  return contradiction(overrides)
}

function contradiction(overrides: Readonly<Record<string, string | null>>): Refusal | null {
  const number = (name: string): number => Number(overrides[name] ?? topicConfigs.get(name)!.default)
  const [least, most] = [number('min.compaction.lag.ms'), number('max.compaction.lag.ms')]
  return least <= most ? null : { error: 'INVALID_CONFIG', message: `Conflicting topic settings: min.compaction.lag.ms (${least}) is more than max.compaction.lag.ms (${most}).` }
}

