// Millrace beside Apache Kafka and Kafka Streams (`npm run bench`): runs the shared benchmark with Millrace as an engine of it, and prints its table.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { startBrokerProcess, stopBrokerProcess } from './broker-process.ts'
import { findBench, freePort } from './shared-bench.ts'

const HELP = `npm run bench -- [--engines on-kafka,on-broker,embedded] [--bootstrap HOST:PORT] [options of the benchmark's ./run]

Runs Java Kafka Streams and Millrace in turn, on the same Apache Kafka (on-kafka), on a Millrace broker of its own (on-broker) and on the
embedded log (embedded). Without --bootstrap it starts an Apache Kafka. Options of ./run that it passes on: --workloads LIST, --repeat N, --scale X,
--verify first|all|none, --no-java, --lock FILE. Results are appended to test/bench/results/streams.ndjson.`

/** For this issue; the others wait for their operators. */
const DEFAULT_WORKLOADS = 'stateless,count-10k,count-1m,tumbling,stream-table,restore'
const ENGINES = ['on-kafka', 'on-broker', 'embedded'] as const

const root = process.cwd()
const args = process.argv.slice(2)
if (args.includes('--help')) {
  console.log(HELP)
  process.exit(0)
}
const bench = findBench()
const engines = (take('--engines') ?? 'on-kafka,embedded').split(',')
const unknown = engines.find(engine => !ENGINES.includes(engine as (typeof ENGINES)[number]))
if (unknown !== undefined) stop(`there is no engine ${unknown}; there are ${ENGINES.join(', ')}`)
if (!args.includes('--workloads')) args.push('--workloads', DEFAULT_WORKLOADS)
const given = take('--bootstrap')
const results = join(root, 'test/bench/results/streams.ndjson')
mkdirSync(join(root, 'test/bench/results'), { recursive: true })
const cache = process.env['MILLRACE_BENCH_CACHE'] ?? join(homedir(), '.cache/millrace-bench')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'millrace-'))
const undo: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })]
// A stop ends what runs now, and then what was started is taken down below.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)
try {
  run(process.execPath, ['tools/build.mjs'])
  const bootstrap = given ?? (await startKafka())
  const before = existsSync(results) ? readFileSync(results, 'utf8').length : 0
  run(join(bench, 'run'), ['--bootstrap', bootstrap, '--results', results, ...(await engineOptions(bootstrap)), ...args])
  mendEmbedded(before)
} finally {
  for (const step of undo.reverse()) await step()
}

async function startKafka(): Promise<string> {
  const port = await freePort()
  const directory = join(folder, 'kafka')
  undo.push(() => run(join(bench, 'kafka'), ['stop', '--dir', directory]))
  run(join(bench, 'kafka'), ['start', '--port', String(port), '--dir', directory])
  return `127.0.0.1:${port}`
}

async function engineOptions(bootstrap: string): Promise<string[]> {
  const engine = `cd '${root}' && node tools/run-ts.mjs test/bench`
  const common = '--workload {workload} --in {in} --out {out} --app {app} --state {state} {options}'
  const options: string[] = []
  for (const name of engines) {
    if (name === 'on-kafka') {
      options.push('--engine', `millrace-on-kafka@${bootstrap}=sh -c "${engine}/engine.ts --bootstrap {bootstrap} ${common}"`)
      continue
    }
    const directory = join(folder, name)
    mkdirSync(directory)
    // As the Apache Kafka of the benchmarks: event times lie in the past, and retention would take the records before they are checked.
    const place = { command: resolve('dist/cli/main.js'), directory, port: await freePort(), settings: { 'log.retention.ms': '-1' } }
    undo.push(() => stopBrokerProcess(place))
    await startBrokerProcess(place)
    const program = name === 'embedded' ? `embedded-engine.ts '${directory}' ${place.port}` : 'engine.ts --bootstrap {bootstrap}'
    options.push('--engine', `millrace-${name}@127.0.0.1:${place.port}=sh -c "${engine}/${program} ${common}"`)
  }
  return options
}

/** The benchmark looks for a broker beside the application; embedded, the application's process is both. */
function mendEmbedded(before: number): void {
  const text = readFileSync(results, 'utf8')
  const rows = text.slice(before).trimEnd().split('\n').map(line => {
    const row = JSON.parse(line) as Record<string, unknown>
    return row['engine'] === 'millrace-embedded' ? JSON.stringify({ ...row, broker_cpu_s: 0, broker_cpu_per_million: 0 }) : line
  })
  writeFileSync(results, `${text.slice(0, before)}${rows.join('\n')}\n`)
  run(join(bench, 'run'), ['--table', results])
}

/** Removes an option from the arguments and gives its value. */
function take(name: string): string | null {
  const at = args.indexOf(name)
  return at < 0 ? null : args.splice(at, 2)[1]!
}

function run(command: string, commandArgs: readonly string[]): void {
  const { status } = spawnSync(command, commandArgs, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ended with status ${status}`)
}

function stop(message: string): never {
  console.error(`bench: ${message}.`)
  process.exit(2)
}
