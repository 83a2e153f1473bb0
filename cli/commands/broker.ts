// `millrace broker`: serves a data directory to Kafka clients until somebody stops it.

import { join } from 'node:path'
import { startBroker } from '../../broker/server/start-broker.ts'
import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { DEFAULT_DATA } from '../terminal/log-connection.ts'
import { logLines, type LogFormat, type LogLevel } from '../terminal/log-lines.ts'
import { stopSignal } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface BrokerCommandOptions {
  readonly listen?: string
  readonly data?: string
  readonly metrics?: string
  readonly set?: readonly string[]
  readonly logFormat?: LogFormat
  readonly logLevel?: LogLevel
  readonly verbose?: boolean
}

/** Says where it listens once it does, as the first line on standard output: `127.0.0.1:9092`. */
export async function broker(options: BrokerCommandOptions, terminal: Terminal): Promise<void> {
  const stop = stopSignal(terminal, null)
  const data = options.data ?? DEFAULT_DATA
  const running = await startBroker({
    dataDirectory: join(data, 'log'),
    listen: options.listen ?? '127.0.0.1:9092',
    metrics: options.metrics ?? false,
    settings: Object.fromEntries((options.set ?? []).map(setting)),
    logger: logLines({
      format: options.logFormat ?? (terminal.watched ? 'text' : 'json'),
      level: options.logLevel ?? 'info',
      clock: systemClock,
      write: line => terminal.say(line),
    }),
  })
  const { host, port } = running.address!
  await terminal.write(`${host}:${port}\n`)
  if (terminal.watched) terminal.say(terminal.dim(`serving ${data} to Kafka clients; Ctrl-C stops it`))
  if (!stop.aborted) await new Promise(resolve => stop.addEventListener('abort', resolve, { once: true }))
  await running.close()
}

function setting(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new MillraceError('USAGE', `--set ${text} is no NAME=VALUE.`, { hint: 'For example --set num.partitions=4.' })
  return [text.slice(0, equals), text.slice(equals + 1)]
}
