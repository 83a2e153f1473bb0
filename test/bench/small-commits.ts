// Clients that wait for an answer after every record, on one broker: transactions, small producers, committed offsets; and Kafka's own transactional benchmark.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { BrokerRow } from './broker-table.ts'

export interface SmallCommitsOptions {
  /** The folder of the shared benchmark, and its cache. */
  readonly bench: string
  readonly cache: string
  readonly port: number
  readonly processId: number
  /** Of each measurement; a third of it is warm-up. */
  readonly seconds: number
}

export type SmallCommitsRow = Pick<BrokerRow, 'what' | 'label'> & Readonly<Record<string, string | number>>

/** What {@link SmallCommits.java} measures, and by how many clients at once. */
const modes: readonly (readonly [mode: string, clients: number])[] = [
  ['commit', 1], ['commit', 20], ['commit-to-seen', 1], ['read-process-write', 1], ['produce', 50], ['offsets', 50],
]

/** How long transactions of Kafka's ProducerPerformance are open. */
const durationsMs = [10, 100]

export function* smallCommits(options: SmallCommitsOptions): Generator<SmallCommitsRow> {
  for (const [mode, clients] of modes) {
    const { seconds } = options
    const { value, ...cost } = costing(options, () => JSON.parse(java(options, [resolve('test/bench/java/SmallCommits.java'), `127.0.0.1:${options.port}`, fresh(options), String(seconds), mode, String(clients)])) as Record<string, number>)
    yield { what: 'small', ...value, ...perThousand(cost, value['count']!) }
  }
  for (const durationMs of durationsMs) yield transactionalPerf(options, durationMs)
}

function transactionalPerf(options: SmallCommitsOptions, durationMs: number): SmallCommitsRow {
  const topic = fresh(options)
  const records = 20_000 * options.seconds
  const { value, ...cost } = costing(options, () => run(join(options.bench, 'kafka'), [
    'tool', 'ProducerPerformance', '--bootstrap-server', `127.0.0.1:${options.port}`, '--topic', topic, '--num-records', String(records), '--record-size', '100', '--throughput', '-1',
    '--transactional-id', `perf-${durationMs}`, '--transaction-duration-ms', String(durationMs), '--command-property', 'acks=all',
  ]))
  const line = value.trimEnd().split('\n').findLast(text => text.includes('records sent')) ?? ''
  const figure = (pattern: RegExp): number => Number(pattern.exec(line)?.[1])
  return { what: 'transactional perf', label: `transactions of ${durationMs} ms`, per_s: figure(/([\d.]+) records\/sec/), p50_ms: figure(/(\d+) ms 50th/), p99_ms: figure(/(\d+) ms 99th/), ...perThousand(cost, records) }
}

/** A topic of 6 partitions that was not there before. */
function fresh({ bench, port }: SmallCommitsOptions): string {
  run(join(bench, 'javabench'), ['admin', '--bootstrap', `127.0.0.1:${port}`, '--delete', 'perf-', '--create', 'perf-small', '--partitions', '6'])
  return 'perf-small'
}

interface Cost {
  readonly cpuSeconds: number
  readonly flushes: number
}

function costing<T>({ processId }: SmallCommitsOptions, action: () => T): Cost & { readonly value: T } {
  const [cpu, flushes] = [cpuSecondsOf(processId), deviceFlushes()]
  const value = action()
  return { value, cpuSeconds: cpuSecondsOf(processId) - cpu, flushes: deviceFlushes() - flushes }
}

function perThousand({ cpuSeconds, flushes }: Cost, count: number): { readonly cpu_ms_each: number; readonly flushes_each: number } {
  return { cpu_ms_each: (cpuSeconds * 1000) / count, flushes_each: flushes / count }
}

function cpuSecondsOf(processId: number): number {
  const fields = readFileSync(`/proc/${processId}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Of all disks, by everyone: on a machine that does nothing else, what the broker has asked for. */
function deviceFlushes(): number {
  const lines = readFileSync('/proc/diskstats', 'utf8').trimEnd().split('\n')
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[18] ?? 0), 0)
}

function java({ cache }: SmallCommitsOptions, args: readonly string[]): string {
  return run('java', ['-Xmx1g', '-cp', join(cache, 'java/libs/*'), ...args])
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ended with status ${status}`)
  return stdout
}
