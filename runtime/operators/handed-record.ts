// A record in the hands of a user's processor.

import { MillraceError } from '../../core/error.ts'
import { Headers } from '../../core/headers.ts'
import type { ProcessorRecord } from '../../core/processor.ts'
import type { Timestamp } from '../../core/record.ts'

export class HandedRecord<K, V> implements ProcessorRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: Timestamp
  #headers: Headers | null

  constructor(key: K, value: V, timestamp: Timestamp, headers: Headers | null) {
    this.key = key
    this.value = value
    this.timestamp = timestamp
    this.#headers = headers
  }

  get headers(): Headers {
    return (this.#headers ??= new Headers())
  }

  /** Null as long as nobody has asked for them and there are none. */
  get knownHeaders(): Headers | null {
    return this.#headers
  }

  withKey<K2>(key: K2): HandedRecord<K2, V> {
    return new HandedRecord(key, this.value, this.timestamp, this.#headers?.copy() ?? null)
  }

  withValue<V2>(value: V2): HandedRecord<K, V2> {
    return new HandedRecord(this.key, value, this.timestamp, this.#headers?.copy() ?? null)
  }

  withTimestamp(timestamp: Timestamp): HandedRecord<K, V> {
    checkTimestamp(timestamp)
    return new HandedRecord(this.key, this.value, timestamp, this.#headers?.copy() ?? null)
  }

  withHeaders(headers: Headers): HandedRecord<K, V> {
    return new HandedRecord(this.key, this.value, this.timestamp, headers.copy())
  }
}

/** @throws MillraceError NEGATIVE_TIMESTAMP */
export function checkTimestamp(timestamp: Timestamp): void {
  if (timestamp >= 0) return
  throw new MillraceError('NEGATIVE_TIMESTAMP', `A record cannot have the timestamp ${timestamp}.`, { hint: 'Timestamps are milliseconds since 1970, zero or more.' })
}
