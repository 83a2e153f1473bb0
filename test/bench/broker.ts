// The Millrace broker beside Apache Kafka (`npm run bench:broker`): the same clients with the same flags on both in turn, and a table of both.

import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { sleep, systemClock } from '../../core/clock.ts'
import { brokerProcessId, startBrokerProcess, stopBrokerProcess } from './broker-process.ts'
import { brokerTable, type BrokerRow } from './broker-table.ts'
import { findBench, freePort } from './shared-bench.ts'
import { smallCommits } from './small-commits.ts'

const HELP = `npm run bench:broker -- [--scale PERCENT] [--repeat N] [--passes os,fsync,startup] [--what produce,consume,latency,transactions] | --table

Runs Kafka's own producer and consumer benchmarks and a latency probe on an Apache Kafka and on a Millrace broker, in turn. Passes: os (nobody waits for
the disk, Kafka's default), fsync (both have a record on the disk before they acknowledge it, Millrace's default), startup (from the start of the
process to the first acknowledged record, and memory after ten idle seconds). transactions: all who wait after every record (transactions, small
producers, committed offsets). Rows are appended to test/bench/results/broker.ndjson.`

const args = process.argv.slice(2)
const root = process.cwd()
const cache = process.env['MILLRACE_BENCH_CACHE'] ?? join(homedir(), '.cache/millrace-bench')
const results = join(root, 'test/bench/results/broker.ndjson')
if (args.includes('--help')) console.log(HELP)
else if (args.includes('--table')) printTable()
else await measure()

async function measure(): Promise<void> {
  const bench = findBench()
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'millrace-'))
  const passes = option('--passes', 'os,fsync,startup').split(',')
  run(process.execPath, ['tools/build.mjs'])
  try {
    if (passes.includes('os')) await compare({ bench, folder, pass: 'os' })
    if (passes.includes('fsync')) await compare({ bench, folder, pass: 'fsync' })
    if (passes.includes('startup')) for (let n = Number(option('--repeat', '1')); n > 0; n--) await compareStart({ bench, folder, pass: 'startup' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  printTable()
}

interface Comparison {
  readonly bench: string
  readonly folder: string
  readonly pass: string
}

/** A server under test. */
interface Server {
  readonly name: 'kafka' | 'millrace'
  readonly port: number
  start(): Promise<void>
  processId(): number
  stop(): Promise<void>
}

async function compare(comparison: Comparison): Promise<void> {
  const servers = await serversOf(comparison)
  const what = option('--what', 'produce,consume,latency,transactions').split(',')
  try {
    for (const server of servers) await server.start()
    for (const one of what) for (const server of servers) measureOne(comparison, server, one)
    for (const server of servers) note({ pass: comparison.pass, broker: server.name, what: 'memory', label: 'peak', mb: memoryOf(server.processId(), 'VmHWM') })
  } finally {
    for (const server of servers) await server.stop()
  }
}

async function compareStart(comparison: Comparison): Promise<void> {
  for (const server of await serversOf(comparison)) {
    const probe = spawn(join(comparison.bench, 'javabench'), ['ready', '--bootstrap', `127.0.0.1:${server.port}`], { stdio: ['ignore', 'pipe', 'ignore'] })
    let output = ''
    probe.stdout.on('data', data => (output += data))
    const probed = new Promise<void>(done => probe.once('close', () => done()))
    // The probe is a Java program too: it must be up and asking before the broker starts.
    await sleep(systemClock, 3_000)
    const startedAt = systemClock.now()
    try {
      await server.start()
      await probed
      const began = server.name === 'kafka' ? Number(readFileSync(join(comparison.folder, 'kafka/started-ms'), 'utf8')) : startedAt
      note({ pass: comparison.pass, broker: server.name, what: 'startup', label: 'first acknowledged record', ms: Number(/\d+/.exec(output)?.[0]) - began })
      await sleep(systemClock, 10_000)
      note({ pass: comparison.pass, broker: server.name, what: 'memory', label: 'idle', mb: memoryOf(server.processId(), 'VmRSS') })
    } finally {
      await server.stop()
    }
  }
}

async function serversOf({ bench, folder, pass }: Comparison): Promise<readonly Server[]> {
  const kafkaPort = await freePort()
  const directory = join(folder, 'kafka')
  mkdirSync(directory, { recursive: true })
  const kafka: Server = {
    name: 'kafka',
    port: kafkaPort,
    start: async () => run(join(bench, 'kafka'), ['start', '--port', String(kafkaPort), '--dir', directory, ...(pass === 'fsync' ? ['--fsync'] : [])]),
    processId: () => Number(readFileSync(join(directory, '1/pid'), 'utf8')),
    stop: async () => run(join(bench, 'kafka'), ['stop', '--dir', directory]),
  }
  const place = { command: resolve('dist/cli/main.js'), directory: mkdtempSync(join(folder, 'broker-')), port: await freePort(), settings: { 'millrace.flush': pass === 'os' ? 'os' : 'fsync' } }
  const millrace: Server = {
    name: 'millrace',
    port: place.port,
    start: () => startBrokerProcess(place),
    processId: () => brokerProcessId(place),
    stop: () => stopBrokerProcess(place),
  }
  return [kafka, millrace]
}

function measureOne(comparison: Comparison, server: Server, what: string): void {
  if (what === 'transactions') small(comparison, server)
  else perf(comparison, server, what)
}

function perf({ bench, folder, pass }: Comparison, server: Server, what: string): void {
  const rows = join(folder, 'perf.ndjson')
  rmSync(rows, { force: true })
  run(join(bench, 'perf'), ['--bootstrap', `127.0.0.1:${server.port}`, '--scale', option('--scale', '25'), '--repeat', option('--repeat', '1'), '--results', rows, what])
  for (const line of readFileSync(rows, 'utf8').trimEnd().split('\n')) note({ pass, broker: server.name, ...(JSON.parse(line) as Pick<BrokerRow, 'what'>) })
}

function small({ bench, pass }: Comparison, server: Server): void {
  const seconds = Math.max(3, Math.round((Number(option('--scale', '25')) * 40) / 100))
  for (const row of smallCommits({ bench, cache, port: server.port, processId: server.processId(), seconds })) note({ pass, broker: server.name, ...row })
}

function note(row: BrokerRow): void {
  mkdirSync(join(root, 'test/bench/results'), { recursive: true })
  appendFileSync(results, `${JSON.stringify(row)}\n`)
}

function memoryOf(processId: number, field: 'VmHWM' | 'VmRSS'): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes) / 1024)
}

function printTable(): void {
  const lines = existsSync(results) ? readFileSync(results, 'utf8').trimEnd().split('\n') : []
  console.log(brokerTable(lines.map(line => JSON.parse(line) as BrokerRow)))
}

function option(name: string, fallback: string): string {
  const at = args.indexOf(name)
  return at < 0 ? fallback : (args[at + 1] ?? fallback)
}

function run(command: string, commandArgs: readonly string[]): void {
  const { status } = spawnSync(command, commandArgs, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ended with status ${status}`)
}
