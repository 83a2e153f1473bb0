// `millrace broker`: serves a data directory to Kafka clients until somebody stops it.

import { join } from 'node:path'
import { startBroker, type BrokerOptions } from '../../broker/server/start-broker.ts'
import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { brokerSettings, DEFAULT_LISTEN, ignoredText } from '../settings/broker-settings.ts'
import { withSecurity, type SecurityOptions } from '../settings/security-options.ts'
import { settingsLines, settingsTable } from '../settings/settings-table.ts'
import { DEFAULT_DATA } from '../terminal/log-connection.ts'
import { limitedLogger } from '../terminal/limited-logger.ts'
import { logLines, type LogFormat, type LogLevel } from '../terminal/log-lines.ts'
import { stopSignal } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface BrokerCommandOptions extends SecurityOptions {
  readonly listen?: string
  readonly data?: string
  /** Nothing on the disk: gone with the process. */
  readonly memory?: boolean
  readonly metrics?: string
  readonly advertise?: string
  readonly set?: readonly string[]
  /** A file of Java properties. */
  readonly config?: string
  readonly helpSettings?: boolean
  readonly json?: boolean
  readonly logFormat?: LogFormat
  readonly logLevel?: LogLevel
  readonly verbose?: boolean
}

/** Says where it listens once it does, as the first line on standard output: `127.0.0.1:9092`. */
export async function broker(options: BrokerCommandOptions, terminal: Terminal): Promise<void> {
  if (options.helpSettings === true) return terminal.write((options.json === true ? settingsLines() : settingsTable()).map(line => `${line}\n`).join(''))
  const { settings: given, ignored } = await brokerSettings(options.config, options.set ?? [], options.listen)
  const settings = withSecurity(given, options)
  const lines = logLines({
    format: options.logFormat ?? (terminal.watched ? 'text' : 'json'),
    level: options.logLevel ?? 'info',
    clock: systemClock,
    write: line => terminal.say(line),
  })
  const logger = limitedLogger(lines, systemClock)
  if (ignored.length > 0) logger.warn(ignoredText(options.config!, ignored))
  const stop = stopSignal(terminal, null)
  const running = await startBroker({
    ...placeOf(options),
    listen: options.listen ?? DEFAULT_LISTEN,
    metrics: options.metrics ?? false,
    settings: options.advertise === undefined ? settings : { ...settings, 'advertised.listeners': options.advertise },
    logger,
  })
  const { host, port } = running.address!
  await terminal.write(`${host}:${port}\n`)
  if (terminal.watched) terminal.say(terminal.dim(`serving ${options.memory === true ? 'from memory' : options.data ?? DEFAULT_DATA} to Kafka clients; Ctrl-C ends it`))
  if (!stop.aborted) await new Promise(resolve => stop.addEventListener('abort', resolve, { once: true }))
  await running.close()
}

function placeOf({ data, memory }: BrokerCommandOptions): Pick<BrokerOptions, 'dataDirectory' | 'memory'> {
  if (memory !== true) return { dataDirectory: join(data ?? DEFAULT_DATA, 'log') }
  if (data !== undefined) throw new MillraceError('USAGE', '--memory keeps nothing, so that there is nothing for --data.', { hint: 'Leave one of them out.' })
  return { memory }
}
