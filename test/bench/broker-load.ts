// CPU of a broker's process under loads that cost their client next to nothing, for builds in turn: what a change to the broker has saved.
// `node tools/run-ts.mjs test/bench/broker-load.ts dist/cli/main.js OTHER/dist/cli/main.js [--repeat N] [--loads LIST] [--node PATH] [--prof DIR]`

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { RecordBatchWriter } from '../../broker/wire/record-batch-writer.ts'
import { systemClock } from '../../core/clock.ts'

const args = process.argv.slice(2)
const repeat = Number(take('--repeat', '5'))
const node = take('--node', process.execPath)
const profile = take('--prof', '')
const TICKS_PER_SECOND = 100

interface Load {
  readonly connections: number
  readonly inFlight: number
  readonly requests: number
  /** Batches of a request, each to a partition of its own; none is a fetch. */
  readonly batches: number
  readonly batchBytes: number
  readonly recordBytes: number
}

/** As ProducerPerformance sends (16 KiB batches; full requests where it is behind), as many who wait for each record do, and as a consumer reads. */
const loads: Readonly<Record<string, Load>> = {
  'batch-100B': { connections: 1, inFlight: 5, requests: 15_000, batches: 1, batchBytes: 16_000, recordBytes: 100 },
  'batches-100B': { connections: 1, inFlight: 5, requests: 3_000, batches: 6, batchBytes: 16_000, recordBytes: 100 },
  'batches-1KiB': { connections: 1, inFlight: 5, requests: 3_000, batches: 6, batchBytes: 16_000, recordBytes: 1024 },
  'half-batches': { connections: 4, inFlight: 5, requests: 20_000, batches: 1, batchBytes: 6_000, recordBytes: 100 },
  'single-100B': { connections: 20, inFlight: 2, requests: 40_000, batches: 1, batchBytes: 100, recordBytes: 100 },
  'fetch': { connections: 1, inFlight: 1, requests: 300, batches: 0, batchBytes: 0, recordBytes: 100 },
}

const names = take('--loads', Object.keys(loads).join(',')).split(',')
const spent = new Map<string, number[]>()
for (let round = 0; round < repeat; round++) {
  // The order changes, so that no build always has the machine that the other has warmed.
  const builds = round % 2 === 0 ? args : [...args].reverse()
  for (const build of builds) await measure(build)
}
for (const name of names) {
  for (const build of args) {
    const all = spent.get(`${name} ${build}`)!.sort((a, b) => a - b)
    console.log(`${name.padEnd(14)} ${build.padEnd(50)} median ${all[all.length >> 1]!.toFixed(2)} s   all ${all.map(value => value.toFixed(2)).join(' ')}`)
  }
}

async function measure(build: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-load-'))
  const flags = profile === '' ? [] : ['--cpu-prof', '--cpu-prof-dir', profile]
  const child = spawn(node, [...flags, build, 'broker', '--listen', '127.0.0.1:0', '--data', directory, '--log-level', 'error', '--set', 'millrace.flush=os'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [address] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(String(address).trim().split(':')[1])
  const admin = await open(port)
  await admin.request('CreateTopics', { topics: [{ name: 't', numPartitions: 6, replicationFactor: -1, assignments: [], configs: [] }] })
  for (const name of names) {
    const before = cpuSeconds(child.pid!)
    await run(port, loads[name]!)
    const key = `${name} ${build}`
    spent.set(key, [...(spent.get(key) ?? []), cpuSeconds(child.pid!) - before])
  }
  admin.close()
  child.kill('SIGTERM')
  await once(child, 'exit')
  rmSync(directory, { recursive: true })
}

async function run(port: number, load: Load): Promise<void> {
  const records = load.batches === 0 ? null : batchOf(load)
  let left = load.requests
  const lane = async (channel: Channel, first: number): Promise<void> => {
    while (left-- > 0) await (records === null ? fetchOnce(channel) : produceOnce(channel, records, load.batches, first))
  }
  const channels = await Promise.all(Array.from({ length: load.connections }, () => open(port)))
  await Promise.all(channels.flatMap((channel, i) => Array.from({ length: load.inFlight }, () => lane(channel, i))))
  for (const channel of channels) channel.close()
}

function batchOf({ batchBytes, recordBytes }: Load): Buffer {
  const writer = new RecordBatchWriter()
  do writer.append(null, Buffer.alloc(recordBytes, 'millrace '), systemClock.now())
  while (writer.size + recordBytes < batchBytes)
  return writer.close()
}

async function produceOnce(channel: Channel, records: Buffer, batches: number, first: number): Promise<void> {
  const partitionData = Array.from({ length: batches }, (_, i) => ({ index: (first + i) % 6, records }))
  const { responses } = await channel.request('Produce', { acks: 1, timeoutMs: 60_000, topicData: [{ name: 't', partitionData }] }, { version: 11 })
  if (responses[0]!.partitionResponses[0]!.errorCode !== 0) throw new Error('a batch was refused')
}

async function fetchOnce(channel: Channel): Promise<void> {
  const { responses } = await channel.request('Fetch', {
    maxWaitMs: 500, minBytes: 1, maxBytes: 50e6, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
    topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_048_576 }] }],
  }, { version: 11 })
  if (responses[0]!.partitions[0]!.errorCode !== 0) throw new Error('a fetch was refused')
}

function open(port: number): Promise<Channel> {
  return connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, clientId: 'bench' })
}

/** User and system time of all its threads. */
function cpuSeconds(processId: number): number {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Takes an option out of the arguments and gives its value. */
function take(name: string, fallback: string): string {
  const at = args.indexOf(name)
  return at < 0 ? fallback : args.splice(at, 2)[1]!
}
