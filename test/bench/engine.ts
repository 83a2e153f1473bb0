// One workload as an engine of the benchmark: runs it over what its input holds and prints one line of JSON (`npm run bench:engine`).

import { openLog } from '../../broker/open-log.ts'
import { systemClock } from '../../core/clock.ts'
import type { LogPort } from '../../core/log-port.ts'
import { silentLogger } from '../../core/logger.ts'
import { partitionName } from '../../core/record.ts'
import { systemRandom } from '../../core/random.ts'
import { StreamsApplication } from '../../runtime/application.ts'
import { ProcessMeter } from './process-meter.ts'
import { TWO_INPUTS, workloadTopology, WORKLOADS, type Workload } from './workloads.ts'

const USAGE = 'bench:engine --workload W (--bootstrap HOST:PORT | --data DIR) --in TOPIC --out TOPIC --app ID --state DIR [--threads N] [--cache BYTES] [--commit-ms N] [--eos]'

const meter = new ProcessMeter()
const options = readOptions(process.argv.slice(2))
const workload = options.get('workload') as Workload
const log = await openLog(place(), { clientId: 'bench', clock: systemClock, random: systemRandom, logger: silentLogger })
const first = await size(log, option('in'))
const second = TWO_INPUTS.has(workload) ? await size(log, `${option('in')}-2`) : { records: 0, partitions: 0 }
const target = first.records
const total = first.records + second.records

const seen = { done: 0, outputs: 0, firstOutputAt: -1, at20: -1, cpuAt20: 0, atEnd: -1, cpuAtEnd: 0 }
const probe = {
  done(): void {
    const done = ++seen.done
    if (done === Math.ceil(target / 5)) {
      seen.at20 = meter.age()
      seen.cpuAt20 = meter.cpu()
    }
    if (done === target) {
      seen.atEnd = meter.age()
      seen.cpuAtEnd = meter.cpu()
    }
  },
  output(): void {
    if (seen.outputs++ === 0) seen.firstOutputAt = meter.age()
  },
}

const cache = options.get('cache')
const commitMs = options.get('commit-ms')
const application = new StreamsApplication({
  topology: workloadTopology(workload, { in: option('in'), out: option('out'), partitions: first.partitions }, probe),
  applicationId: option('app'),
  log,
  stateDirectory: option('state'),
  ...(cache === undefined ? {} : cache === '0' ? { holdUpdates: false } : { memoryBytes: Number(cache) }),
  ...(commitMs === undefined ? {} : { commitInterval: Number(commitMs) }),
})
await application.start()
const runningAt = meter.age()
const restored = application.metrics().restored
const store = { keys: 0, sum: 0 }
if (workload === 'restore') {
  seen.atEnd = runningAt
  for (const [, count] of application.store<string, number>('counts').all()) {
    store.keys++
    store.sum += count
  }
} else await application.untilIdle()
await application.close()
const closedAt = meter.age()
await log.close()

const records = workload === 'restore' ? restored : total
const perMillion = 1e6 / Math.max(1, records)
const result = {
  engine: 'millrace',
  workload,
  records,
  running_s: runningAt,
  ...(seen.firstOutputAt < 0 ? {} : { first_output_s: seen.firstOutputAt }),
  processed_s: seen.atEnd,
  closed_s: closedAt,
  overall_rps: records / seen.atEnd,
  ...(seen.at20 < 0 ? {} : { steady_rps: (0.8 * records) / (seen.atEnd - seen.at20), cpu_per_million_steady: ((seen.cpuAtEnd - seen.cpuAt20) / 0.8) * perMillion }),
  cpu_per_million: meter.cpu() * perMillion,
  cpu_s: meter.cpu(),
  rss_peak_mb: meter.peakRssMb(),
  outputs: seen.outputs,
  commits: application.metrics().commits,
  ...(workload === 'restore' ? { store_keys: store.keys, store_sum: store.sum } : {}),
}
console.log(JSON.stringify(result, (_, value: unknown) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value)))
process.exit(seen.atEnd < 0 ? 1 : 0)

async function size(port: LogPort, topic: string): Promise<{ records: number; partitions: number }> {
  const partitions = (await port.admin.describeTopics([topic])).get(topic)?.partitions ?? 0
  if (partitions === 0) fail(`there is no topic ${topic}`)
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await port.admin.listOffsets(all, 'latest')
  return { records: all.reduce((sum, { partition }) => sum + ends.get(partitionName(topic, partition))!, 0), partitions }
}

function place(): Parameters<typeof openLog>[0] {
  const data = options.get('data')
  return data === undefined ? { bootstrapServers: option('bootstrap') } : { dataDirectory: data }
}

function readOptions(args: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (let i = 0; i < args.length; i++) {
    const name = args[i]!.replace(/^--/, '')
    if (name === 'eos') fail('exactly once is not built yet')
    found.set(name, args[++i] ?? '')
  }
  if (!WORKLOADS.includes(found.get('workload') as Workload)) fail(`--workload is one of ${WORKLOADS.join(', ')}`)
  if (Number(found.get('threads') ?? 1) !== 1) fail('worker threads are not built yet')
  return found
}

function option(name: string): string {
  return options.get(name) ?? fail(`--${name} is missing`)
}

function fail(message: string): never {
  console.error(`bench:engine: ${message}\n${USAGE}`)
  process.exit(2)
}
