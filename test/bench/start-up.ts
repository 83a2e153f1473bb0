// How long it takes until a broker serves: `millrace broker` to its port and to the first acknowledged record, with npx before it, and `startBroker` in process.
// `npm run bench:start-up`, after `npm run build`; `--runs N` (default 15). Prints min, median and max in milliseconds.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import { RecordBatchWriter } from '../../broker/wire/record-batch-writer.ts'
import { systemClock } from '../../core/clock.ts'

const runs = Number(process.argv[process.argv.indexOf('--runs') + 1] || 15) || 15
const node = process.execPath
const brokerArguments = ['broker', '--listen', '127.0.0.1:0']

/** Times of an import, a first and a second broker. */
const embedded = `
  const times = [performance.now()]
  const { startBroker } = await import('millrace/broker')
  times.push(performance.now())
  const first = await startBroker({ memory: true })
  times.push(performance.now())
  const second = await startBroker({ memory: true })
  times.push(performance.now())
  await Promise.all([first.close(), second.close()])
  console.log(JSON.stringify(times.slice(1).map((time, i) => time - times[i])))
`

report('node alone (node -e 0)', await repeat(() => time(async () => void (await once(spawn(node, ['-e', '0']), 'exit')))))
report('npx alone (npx --no-install millrace --version)', await repeat(() => time(async () => void (await once(spawn('npx', ['--no-install', 'millrace', '--version'], { stdio: 'ignore' }), 'exit')))))
const [port, record] = await commandTimes([node, 'dist/cli/main.js'])
report('millrace broker: the port accepts', port)
report('millrace broker: a first record is acknowledged (topic made, fsync)', record)
const [npxPort] = await commandTimes(['npx', '--no-install', 'millrace'])
report('npx millrace broker: the port accepts', npxPort)
const [imported, first, further] = await embeddedTimes()
report("import 'millrace/broker', in a process of its own", imported)
report('startBroker({ memory: true }), first of a process', first)
report('startBroker({ memory: true }), further ones', further)

async function commandTimes(command: readonly string[]): Promise<readonly [number[], number[]]> {
  const ports: number[] = []
  const records: number[] = []
  for (let run = 0; run < runs; run++) {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-start-'))
    const begun = systemClock.monotonic()
    const child = spawn(command[0]!, [...command.slice(1), ...brokerArguments, '--data', directory], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    const [address] = (await once(child.stdout, 'data')) as [Buffer]
    const channel = await connectTcpChannel({ host: '127.0.0.1', port: Number(String(address).trim().split(':')[1]), clock: systemClock, clientId: 'bench' })
    ports.push(systemClock.monotonic() - begun)
    await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
    const writer = new RecordBatchWriter()
    writer.append(null, Buffer.from('first'), systemClock.now())
    const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 10_000, topicData: [{ name: 't', partitionData: [{ index: 0, records: writer.close() }] }] }, { version: 11 })
    if (responses[0]!.partitionResponses[0]!.errorCode !== 0) throw new Error('the first record was refused')
    records.push(systemClock.monotonic() - begun)
    channel.close()
    await stopped(child)
    rmSync(directory, { recursive: true, force: true })
  }
  return [ports, records]
}

/** npx starts the broker as its child: the whole group is told, and the output closes with the last of them. */
async function stopped(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  process.kill(-child.pid!, 'SIGTERM')
  await closed
}

async function embeddedTimes(): Promise<readonly [number[], number[], number[]]> {
  const times: [number[], number[], number[]] = [[], [], []]
  for (let run = 0; run < runs; run++) {
    const child = spawn(node, ['--input-type=module', '-e', embedded], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await once(child, 'close')
    const [imported, first, further] = JSON.parse(text) as [number, number, number]
    times[0].push(imported)
    times[1].push(first)
    times[2].push(further)
  }
  return times
}

async function repeat(action: () => Promise<number>): Promise<number[]> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) times.push(await action())
  return times
}

async function time(action: () => Promise<void>): Promise<number> {
  const begun = systemClock.monotonic()
  await action()
  return systemClock.monotonic() - begun
}

function report(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b)
  const text = (value: number): string => value.toFixed(1).padStart(7)
  console.log(`${what.padEnd(70)} min ${text(sorted[0]!)}  median ${text(sorted[Math.floor(sorted.length / 2)]!)}  max ${text(sorted.at(-1)!)}`)
}
