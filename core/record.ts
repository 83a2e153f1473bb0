// A record is one fact in a topic: key, value, event time and headers; a raw record is the same as bytes in a log.

import type { Headers } from './headers.ts'

/** Milliseconds since the Unix epoch, UTC. */
export type Timestamp = number
/** Position of a record in its partition, from 0. Below 2^53. */
export type Offset = number

export interface StreamRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: Timestamp
  readonly headers: Headers
}

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic-partition`, the form used in messages, file names and as the key of maps. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** The other way round. */
export function splitPartitionName(name: string): TopicPartition {
  const dash = name.lastIndexOf('-')
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

/** Where a record came from: what a processor may ask of the record in hand. */
export interface RecordMetadata extends TopicPartition {
  readonly offset: Offset
}

/**
 * Reads the records of one fetched run in place, without an object for each.
 * `next()` moves on and says whether there is a record; the fields then describe it until the next call.
 * Key and value are the ranges `[start, end)` of `buffer`; a start of -1 stands for null. Control records never show.
 */
export interface RecordCursor {
  next(): boolean
  readonly buffer: Buffer
  readonly offset: Offset
  readonly timestamp: Timestamp
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  /** A new object at each call; null where the record has no headers. */
  headers(): Headers | null
}
