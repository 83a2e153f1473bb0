// When a log's next checkpoint is due, and what it says: where a start may begin, and what it would know by then of producers.

import type { Offset } from '../../core/record.ts'
import type { PartitionProducers } from '../kernel/partition-producers.ts'
import type { Json, RecoveryPoint } from '../log/checkpoint.ts'
import type { Log } from '../log/log.ts'

/** It may be saved once all before its point is durable. */
export interface TakenCheckpoint {
  readonly point: RecoveryPoint
  readonly state: Json
}

/** Bytes appended between two checkpoints: what a start after a crash has to read again, at most, per partition. */
const intervalBytes = 32 * 1024 * 1024

export class LogCheckpoints {
  readonly #log: Log
  readonly #producers: PartitionProducers
  #bytesSince = 0
  #segment: Offset

  constructor(log: Log, producers: PartitionProducers) {
    this.#log = log
    this.#producers = producers
    this.#segment = log.segments.at(-1)!.baseOffset
  }

  appended(bytes: number): void {
    this.#bytesSince += bytes
  }

  /** The next one does not wait. */
  hasten(): void {
    this.#bytesSince = intervalBytes
  }

  get isDue(): boolean {
    return this.#bytesSince >= intervalBytes || this.#segment !== this.#log.segments.at(-1)!.baseOffset
  }

  take(): TakenCheckpoint {
    this.#bytesSince = 0
    const point = this.#log.recoveryPoint()
    this.#segment = point.segment
    return { point, state: this.#producers.snapshot() }
  }
}
