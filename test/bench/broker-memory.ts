// The memory of a broker's process: idle, while 200 clients produce large batches, while 200 fetch all of it at once, and while they take nothing.
// `npm run bench:memory`; `--connections N`. Prints resident memory in MB, now and at its peak.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import type { RequestInput } from '../../broker/wire/apis.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { encodeRequest } from '../../broker/wire/frame.ts'
import { RecordBatchWriter } from '../../broker/wire/record-batch-writer.ts'
import { sleep, systemClock } from '../../core/clock.ts'

const connections = Number(process.argv[process.argv.indexOf('--connections') + 1] || 200) || 200
const topics = 4
const batchBytes = 900_000
const batchesEach = 10
const inFlight = 5

const directory = mkdtempSync(join(tmpdir(), 'millrace-memory-'))
const child = spawn(process.execPath, ['dist/cli/main.js', 'broker', '--listen', '127.0.0.1:0', '--data', directory, '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'inherit'] })
const [address] = (await once(child.stdout, 'data')) as [Buffer]
const port = Number(String(address).trim().split(':')[1])
const admin = await open()
report('idle')
for (let i = 0; i < topics; i++) await admin.request('CreateTopics', { topics: [{ name: `t${i}`, numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })

const channels = await Promise.all(Array.from({ length: connections }, open))
report(`${connections} connections that do nothing`)
forgetPeak()
await timed(`${connections} producing batches of ${batchBytes} bytes, ${inFlight} in flight each`, () => Promise.all(channels.map(produceAll)))
forgetPeak()
await timed(`${connections} fetching everything at once, 50 MB asked for each time`, () => Promise.all(channels.map(fetchOnce)))
forgetPeak()
const slow = Array.from({ length: connections }, (_, i) => {
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  socket.write(Buffer.concat(encodeRequest('Fetch', 11, { correlationId: 1, clientId: 'slow' }, fetchRequest(i))))
  return socket
})
await sleep(systemClock, 5_000)
report(`${connections} that have asked for 50 MB and take nothing`)
for (const socket of slow) socket.destroy()
await sleep(systemClock, 5_000)
report('afterwards')
for (const channel of [admin, ...channels]) channel.close()
child.kill('SIGTERM')
await once(child, 'exit')
rmSync(directory, { recursive: true })

function open(): Promise<Channel> {
  return connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, clientId: 'bench' })
}

async function produceAll(channel: Channel, client: number): Promise<void> {
  const value = Buffer.alloc(batchBytes, 'millrace ')
  const lane = async (): Promise<void> => {
    for (let i = 0; i < batchesEach / inFlight; i++) {
      const writer = new RecordBatchWriter()
      writer.append(null, value, systemClock.now())
      const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 60_000, topicData: [{ name: `t${client % topics}`, partitionData: [{ index: 0, records: writer.close() }] }] }, { version: 11 })
      if (responses[0]!.partitionResponses[0]!.errorCode !== 0) throw new Error('a batch was refused')
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

function fetchRequest(client: number): RequestInput<'Fetch'> {
  return {
    maxWaitMs: 500, minBytes: 1, maxBytes: 50e6, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
    topics: [{ topic: `t${client % topics}`, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50e6 }] }],
  }
}

async function fetchOnce(channel: Channel, client: number): Promise<void> {
  await channel.request('Fetch', fetchRequest(client), { version: 11 })
}

async function timed(what: string, action: () => Promise<unknown>): Promise<void> {
  const begun = systemClock.monotonic()
  await action()
  report(`${what} (${((systemClock.monotonic() - begun) / 1000).toFixed(1)} s)`)
}

function report(what: string): void {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const megabytes = (name: string): string => String(Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024)).padStart(5)
  console.log(`${what.padEnd(80)} now ${megabytes('VmRSS')}  peak ${megabytes('VmHWM')}`)
}

/** Linux forgets the peak so. */
function forgetPeak(): void {
  writeFileSync(`/proc/${child.pid}/clear_refs`, '5')
}
