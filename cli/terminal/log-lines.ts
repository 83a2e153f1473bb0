// The log of a command that runs for long: one line for each thing that happened, for a person to read or a program to parse.

import { isoTime, type Clock } from '../../core/clock.ts'
import type { LogFields, Logger } from '../../core/logger.ts'

/** `json`: one object a line. `text`: time, level, message, then `name=value`. */
export type LogFormat = 'json' | 'text'

export type LogLevel = 'info' | 'warn' | 'error'

export interface LogLinesOptions {
  readonly format: LogFormat
  /** What is less grave is not written. */
  readonly level: LogLevel
  readonly clock: Clock
  readonly write: (line: string) => void
}

const logLevels: readonly LogLevel[] = ['info', 'warn', 'error']

export function logLines({ format, level: least, clock, write }: LogLinesOptions): Logger {
  const lineOf = format === 'json' ? jsonLine : textLine
  const writer = (level: LogLevel) => (message: string, fields: LogFields = {}): void => {
    if (logLevels.indexOf(level) >= logLevels.indexOf(least)) write(lineOf(isoTime(clock.now()), level, message, fields))
  }
  return { info: writer('info'), warn: writer('warn'), error: writer('error') }
}

function jsonLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const line: Record<string, unknown> = { time, level, message }
  for (const [name, value] of Object.entries(fields)) line[Object.hasOwn(line, name) ? `field_${name}` : name] = plain(value)
  return JSON.stringify(line)
}

/** Values with anything but plain characters in them are written as JSON: a line stays a line, and a terminal is told nothing by a client. */
function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const list = Object.entries(fields).map(([name, field]) => {
    const value = plain(field)
    return `${name}=${typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : visible(JSON.stringify(value) ?? 'undefined')}`
  })
  return [time, level.padEnd(5), message, ...list].join(' ')
}

/** JSON leaves some characters as they are that terminals obey, or that turn the line round. */
function visible(json: string): string {
  return json.replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What JSON can say of a value. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, ...('code' in value ? { code: String(value.code) } : {}), message: value.message, stack: value.stack }
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  try {
    return JSON.parse(JSON.stringify(value)) as unknown
  } catch {
    return Object.prototype.toString.call(value) // It refers to itself; that it is there is worth a line all the same.
  }
}
