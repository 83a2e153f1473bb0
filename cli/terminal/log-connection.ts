// Opens the log that a command works on: a cluster with `--bootstrap`, the one embedded in a data directory without.

import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { openLog, type OpenedLog } from '../../broker/open-log.ts'
import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { LogLocation } from '../../core/log-location.ts'
import type { Logger } from '../../core/logger.ts'
import { systemRandom } from '../../core/random.ts'
import { readJavaProperties } from '../input/java-properties.ts'
import type { Terminal } from './terminal.ts'

export const DEFAULT_DATA = '.millrace'

/** What every command that needs a log may be told. */
export interface LogPlace {
  readonly bootstrap?: string
  /** A file of Java properties: how to log in there. */
  readonly commandConfig?: string
  readonly data?: string
  /** Where the embedded log serves other clients meanwhile. */
  readonly listen?: string
}

export async function connect(place: LogPlace, clientId: string, logger: Logger): Promise<OpenedLog> {
  return openLog(await locationOf(place), { clientId, clock: systemClock, random: systemRandom, logger })
}

async function locationOf({ bootstrap, data, listen, commandConfig }: LogPlace): Promise<LogLocation> {
  if (listen !== undefined && bootstrap !== undefined) throw new MillraceError('USAGE', '--listen is for the embedded log; with --bootstrap there is none.')
  if (bootstrap !== undefined) return { bootstrapServers: bootstrap, ...(commandConfig === undefined ? {} : { clientProperties: Object.fromEntries(await readJavaProperties(commandConfig)) }) }
  if (commandConfig !== undefined) throw new MillraceError('USAGE', '--command-config says how to log in to a cluster, but no cluster is named.', { hint: 'Add --bootstrap HOST:PORT.' })
  return { dataDirectory: data ?? DEFAULT_DATA, listen }
}

/** Connects, works, and closes. */
export async function withAdmin(place: LogPlace & { readonly verbose?: boolean }, terminal: Terminal, work: (admin: ClusterAdmin) => Promise<void>): Promise<void> {
  const log = await connect(place, 'millrace-admin', terminalLogger(terminal, place.verbose === true))
  try {
    await work(log.admin)
  } finally {
    await log.close()
  }
}

/** Where it is, in words. */
export function placeName(place: LogPlace): string {
  return place.bootstrap ?? place.data ?? DEFAULT_DATA
}

/** Warnings and errors always, what else happened only if asked. */
export function terminalLogger(terminal: Terminal, verbose: boolean): Logger {
  const say = (level: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    const list = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    terminal.say(terminal.dim([level, message, ...list].join(' ')))
  }
  return {
    info: (message, fields) => {
      if (verbose) say('info', message, fields)
    },
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
  }
}
