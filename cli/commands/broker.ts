// `millrace broker`: serves a data directory to Kafka clients until somebody stops it.

import { join } from 'node:path'
import { startBroker, type Broker, type BrokerOptions } from '../../broker/server/start-broker.ts'
import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { brokerSettings, ignoredText } from '../settings/broker-settings.ts'
import { withSecurity, type SecurityOptions } from '../settings/security-options.ts'
import { settingsLines, settingsTable } from '../settings/settings-table.ts'
import { DEFAULT_DATA } from '../terminal/log-connection.ts'
import { limitedLogger } from '../terminal/limited-logger.ts'
import { logLines, type LogFormat, type LogLevel } from '../terminal/log-lines.ts'
import { stopSignal } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface BrokerCommandOptions extends SecurityOptions {
  readonly listen?: readonly string[]
  readonly data?: string
  /** Nothing on the disk: gone with the process. */
  readonly memory?: boolean
  readonly metrics?: string
  readonly advertise?: readonly string[]
  readonly set?: readonly string[]
  /** A file of Java properties. */
  readonly config?: string
  readonly helpSettings?: boolean
  readonly json?: boolean
  readonly logFormat?: LogFormat
  readonly logLevel?: LogLevel
  readonly verbose?: boolean
}

/** Says where it listens once it does, on standard output: `127.0.0.1:9092`; of several listeners each on a line of its own, `NAME://127.0.0.1:9092`. */
export async function broker(options: BrokerCommandOptions, terminal: Terminal): Promise<void> {
  if (options.helpSettings === true) return terminal.write((options.json === true ? settingsLines() : settingsTable()).map(line => `${line}\n`).join(''))
  const { settings: given, ignored, listen } = await brokerSettings(options.config, options.set ?? [], options.listen)
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
    listen,
    metrics: options.metrics ?? false,
    settings: options.advertise === undefined ? settings : { ...settings, 'advertised.listeners': options.advertise.join(',') },
    logger,
  })
  await terminal.write(running.listeners.map(({ name, address: { host, port } }) => `${running.listeners.length > 1 ? `${name}://` : ''}${host}:${port}\n`).join(''))
  const reload = (): void => reloadCertificates(running, logger)
  // Where a terminal hangs up, the broker ends with it.
  if (!terminal.watched) process.on('SIGHUP', reload)
  if (terminal.watched) terminal.say(terminal.dim(`serving ${options.memory === true ? 'from memory' : options.data ?? DEFAULT_DATA} to Kafka clients; Ctrl-C ends it`))
  if (!stop.aborted) await new Promise(resolve => stop.addEventListener('abort', resolve, { once: true }))
  process.off('SIGHUP', reload)
  await running.close()
}

function placeOf({ data, memory }: BrokerCommandOptions): Pick<BrokerOptions, 'dataDirectory' | 'memory'> {
  if (memory !== true) return { dataDirectory: join(data ?? DEFAULT_DATA, 'log') }
  if (data !== undefined) throw new MillraceError('USAGE', '--memory keeps nothing, so that there is nothing for --data.', { hint: 'Leave one of them out.' })
  return { memory }
}

/** What cannot be read leaves everything as it was: a broker that goes on with its old certificate is better than none. */
function reloadCertificates(running: Broker, logger: Logger): void {
  try {
    running.reloadCertificates()
    logger.info('keys and certificates read again')
  } catch (error) {
    logger.error('keys and certificates stay as they were', { cause: error })
  }
}
