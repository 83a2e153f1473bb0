// A logger takes what happened, as data: a message that never varies and the fields that do.

export interface Logger {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export type LogFields = Readonly<Record<string, unknown>>

/** Keeps nothing. */
export const silentLogger: Logger = { info() {}, warn() {}, error() {} }
