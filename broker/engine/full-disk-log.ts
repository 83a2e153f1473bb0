// A logger that says once that the disk is full, and again now and then, however many writes fail; and once that there is room again.

import type { Clock } from '../../core/clock.ts'
import type { LogFields, Logger } from '../../core/logger.ts'

/** While the disk is full, one line in so long. */
const silenceMs = 60_000
/** Without a failure for so long, what is written says that there is room again: small writes find some where large ones do not. */
const calmMs = 10_000

type Level = 'warn' | 'error'

export class FullDiskLog implements Logger {
  readonly #logger: Logger
  readonly #clock: Clock
  #saidMs = -Infinity
  /** Of the last failure; null while the disk is not known to be full. */
  #failedMs: number | null = null
  #leftOut = 0

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  info(message: string, fields?: LogFields): void {
    this.#logger.info(message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#say('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#say('error', message, fields)
  }

  /** Something was written. */
  wrote(): void {
    if (this.#failedMs === null || this.#clock.monotonic() - this.#failedMs < calmMs) return
    this.#logger.info('there is room on the disk again', this.#leftOutField())
    this.#failedMs = null
    this.#saidMs = -Infinity
    this.#leftOut = 0
  }

  #say(level: Level, message: string, fields?: LogFields): void {
    if (fields?.['code'] !== 'DISK_FULL') return this.#logger[level](message, fields)
    const nowMs = this.#clock.monotonic()
    this.#failedMs = nowMs
    if (nowMs - this.#saidMs < silenceMs) return void this.#leftOut++
    this.#logger[level](message, { ...fields, ...this.#leftOutField() })
    this.#saidMs = nowMs
    this.#leftOut = 0
  }

  #leftOutField(): LogFields {
    return this.#leftOut === 0 ? {} : { linesLeftOut: this.#leftOut }
  }
}
