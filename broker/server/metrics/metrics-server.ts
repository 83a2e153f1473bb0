// Serves metrics over HTTP: /metrics for Prometheus, /healthz and /ready for those who watch over processes.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MillraceError } from '../../../core/error.ts'
import type { MetricFamily } from '../../../core/metrics/metric.ts'
import type { Logger } from '../../../core/logger.ts'
import { contentTypes, prometheusText, type MetricsFormat } from '../../../core/metrics/prometheus-text.ts'
import { ProcessMetrics } from './process-metrics.ts'

export interface MetricsServerOptions {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  /** What the broker measures, now. */
  readonly families: () => Iterable<MetricFamily>
  /** False while the broker is closing. */
  readonly isReady: () => boolean
  readonly logger: Logger
}

export interface MetricsServer {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/** Whoever asks is a machine or two; more than that is a mistake. */
const maxConnections = 64
const maxWaitMs = 10_000

/** @throws MillraceError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const processMetrics = new ProcessMetrics()
  const server = createServer({ headersTimeout: maxWaitMs, requestTimeout: maxWaitMs, keepAliveTimeout: maxWaitMs }, (request, response) => answer(request, response, options, processMetrics))
  server.maxConnections = maxConnections
  await listen(server, options)
  server.on('error', cause => options.logger.error('the metrics server failed', { host: options.host, cause }))
  return {
    host: options.host,
    port: (server.address() as AddressInfo).port,
    close: () => {
      processMetrics.stop()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

function answer(request: IncomingMessage, response: ServerResponse, { families, isReady }: MetricsServerOptions, processMetrics: ProcessMetrics): void {
  const path = request.url?.split('?')[0]
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'only GET\n')
  if (path === '/healthz') return send(response, 200, 'ok\n')
  if (path === '/ready') return isReady() ? send(response, 200, 'ready\n') : send(response, 503, 'closing\n')
  if (path !== '/metrics') return send(response, 404, 'There are /metrics, /healthz and /ready.\n')
  const format = formatOf(request.headers.accept ?? '')
  send(response, 200, prometheusText([...families(), ...processMetrics.families()], format), contentTypes[format])
}

function send(response: ServerResponse, status: number, body: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
}

/** OpenMetrics where it is wanted at least as much as plain text. */
function formatOf(accept: string): MetricsFormat {
  const weightOf = (type: string): number => Math.max(-1, ...accept.split(',').filter(part => part.trim().startsWith(type)).map(part => Number(/;\s*q=([\d.]+)/.exec(part)?.[1] ?? 1)))
  const openMetrics = weightOf('application/openmetrics-text')
  return openMetrics > 0 && openMetrics >= weightOf('text/plain') ? 'openmetrics' : 'prometheus'
}

function listen(server: Server, { host, port }: MetricsServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'EADDRINUSE'
        ? new MillraceError('ADDRESS_IN_USE', `Port ${port} of ${host}, where metrics are to be served, is taken.`, { hint: 'Stop the other program, or serve them on another port.', cause })
        : new MillraceError('LISTEN_FAILED', `Serving metrics on ${host}:${port} failed: ${cause.message}.`, { cause }))
    })
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}
