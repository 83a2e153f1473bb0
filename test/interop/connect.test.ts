// Apache Kafka Connect, distributed and with exactly-once sources, on a Millrace broker; and MirrorMaker from one Millrace broker to another.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectLog, type LogClient } from '../../broker/client/connect-log.ts'
import { sleep, systemClock } from '../../core/clock.ts'
import { fetchJars, freePort, javaArgumentsWith } from './apache-kafka.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { kcat, kcatConsume } from './kcat.ts'
import { startProgram, type RunningProgram } from './program.ts'

let folder: string
let libraries: string
let broker: FileBroker
let other: FileBroker
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-connect-'))
  libraries = fetchJars('connect.xml', 'dependency:copy-dependencies', '-DincludeScope=runtime')
  broker = await startFileBroker()
  other = await startFileBroker()
})
afterAll(async () => {
  await broker?.[Symbol.asyncDispose]()
  await other?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

test('Connect: what a file gets comes out of another, once, though the worker is killed', async () => {
  await using worker = await Worker.start()
  const [source, sink] = [join(folder, 'source.txt'), join(folder, 'sink.txt')]
  writeFileSync(source, linesOf(0, 100))
  await worker.put('source', { 'connector.class': 'FileStreamSource', 'file': source, 'topic': 'lines', 'exactly.once.support': 'required', 'transaction.boundary': 'poll' })
  await worker.put('sink', { 'connector.class': 'FileStreamSink', 'file': sink, 'topics': 'lines', 'consumer.override.isolation.level': 'read_committed', 'consumer.override.session.timeout.ms': '6000', 'consumer.override.heartbeat.interval.ms': '1000' })
  await until(() => worker.said(), () => existsSync(sink) && readFileSync(sink, 'utf8') === linesOf(0, 100))
  await worker.kill()
  appendFileSync(source, linesOf(100, 200))
  await using again = await Worker.start()
  // A sink writes again what it had written since its last commit.
  await until(() => again.said(), () => new Set(readFileSync(sink, 'utf8').trimEnd().split('\n')).size === 200)
  const committed = await kcatConsume(broker.bootstrap, 'lines', ['-X', 'isolation.level=read_committed'])
  expect(committed.map(({ payload }) => `${payload}\n`).join('')).toBe(linesOf(0, 200))
  expect(await again.get('connectors/source/status')).toMatchObject({ connector: { state: 'RUNNING' }, tasks: [{ state: 'RUNNING' }] })
  expect(await again.get('connectors/source/offsets')).toMatchObject({ offsets: [{ offset: { position: linesOf(0, 200).length } }] })
})

test('MirrorMaker: topics, records and positions of groups are copied', async () => {
  await using log = await connectTo(broker)
  await using copies = await connectTo(other)
  await log.client.admin.createTopics([{ name: 'orders', partitions: 2, config: { 'retention.ms': '7654321' } }])
  await kcat(broker.bootstrap, ['-P', '-t', 'orders', '-p', '0', '-K', '=', '-H', 'from=here'], Array.from({ length: 50 }, (_, i) => `key-${i}=value ${i}`).join('\n'))
  await kcat(broker.bootstrap, ['-q', '-e', '-X', 'auto.offset.reset=earliest', '-G', 'readers', 'orders'])
  const properties = join(folder, 'mirror.properties')
  writeFileSync(properties, mirrorProperties())
  await using mirror = new Stopped(startProgram('java', [...javaArgumentsWith([join(libraries, '*')], 'org.apache.kafka.connect.mirror.MirrorMaker'), properties]))
  const copied = { topic: 'here.orders', partition: 0 }
  await until(() => mirror.program.output(), async () => (await copies.client.admin.committedOffsets('readers', [copied])).get('here.orders-0')?.offset === 50)
  const original = await kcatConsume(broker.bootstrap, 'orders')
  expect(await kcatConsume(other.bootstrap, 'here.orders')).toEqual(original.map(record => ({ ...record, topic: 'here.orders', broker: expect.anything() })))
  expect((await copies.client.admin.describeTopics(['here.orders'])).get('here.orders')!.partitions).toBe(2)
  expect(await copies.client.admin.listTopics()).toEqual(expect.arrayContaining(['here.checkpoints.internal', 'here.heartbeats']))
})

/** A worker of Connect; its connectors and where they are lie in topics of the broker. */
class Worker implements AsyncDisposable {
  readonly #program: RunningProgram
  readonly #address: string

  private constructor(program: RunningProgram, address: string) {
    this.#program = program
    this.#address = address
  }

  static async start(): Promise<Worker> {
    const address = `http://127.0.0.1:${await freePort()}`
    const properties = join(folder, 'worker.properties')
    writeFileSync(properties, workerProperties(address))
    const worker = new Worker(startProgram('java', [...javaArgumentsWith([join(libraries, '*')], 'org.apache.kafka.connect.cli.ConnectDistributed'), properties]), address)
    await until(() => worker.said(), () => worker.get('connectors').then(() => true, () => false))
    return worker
  }

  async put(connector: string, config: Readonly<Record<string, string>>): Promise<void> {
    const answer = await fetch(`${this.#address}/connectors/${connector}/config`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ 'tasks.max': '1', ...config }) })
    expect(answer.status, await answer.text()).toBe(201)
  }

  async get(path: string): Promise<unknown> {
    return await (await fetch(`${this.#address}/${path}`)).json()
  }

  said(): string {
    return this.#program.output()
  }

  kill(): Promise<void> {
    return this.#program.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program.kill()
  }
}

class Stopped implements AsyncDisposable {
  readonly program: RunningProgram

  constructor(program: RunningProgram) {
    this.program = program
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program.kill()
  }
}

async function connectTo(to: FileBroker): Promise<AsyncDisposable & { readonly client: LogClient }> {
  const client = await connectLog({ bootstrap: to.bootstrap })
  return { client, [Symbol.asyncDispose]: () => client.close() }
}

const PATIENCE_MS = 90_000

/** Asks again and again until it is so. */
async function until(said: () => string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = systemClock.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (systemClock.now() > end) throw new Error(`It did not come to be: ${said().slice(-4000)}`)
    await sleep(systemClock, 100)
  }
}

function linesOf(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('')
}

function workerProperties(address: string): string {
  return lines({
    'bootstrap.servers': broker.bootstrap,
    'group.id': 'connect',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'exactly.once.source.support': 'enabled',
    'listeners': address,
    'offset.flush.interval.ms': '500',
    'plugin.discovery': 'service_load',
    'scheduled.rebalance.max.delay.ms': '0',
    // One that was killed is missed soon.
    'session.timeout.ms': '6000',
    'heartbeat.interval.ms': '1000',
    ...Object.fromEntries(['config', 'offset', 'status'].flatMap(name => [[`${name}.storage.topic`, `connect-${name}`], [`${name}.storage.replication.factor`, '1']])),
  })
}

function mirrorProperties(): string {
  return lines({
    'clusters': 'here,there',
    'here.bootstrap.servers': broker.bootstrap,
    'there.bootstrap.servers': other.bootstrap,
    'here->there.enabled': 'true',
    'here->there.topics': 'orders',
    'here->there.groups': 'readers',
    'sync.group.offsets.enabled': 'true',
    'sync.group.offsets.interval.seconds': '1',
    'emit.checkpoints.interval.seconds': '1',
    'emit.heartbeats.interval.seconds': '1',
    'refresh.topics.interval.seconds': '1',
    'refresh.groups.interval.seconds': '1',
    'offset.lag.max': '0',
    'exactly.once.source.support': 'disabled',
    'plugin.discovery': 'service_load',
    'tasks.max': '1',
    ...Object.fromEntries(['', 'checkpoints.topic.', 'heartbeats.topic.', 'offset-syncs.topic.', 'offset.storage.', 'status.storage.', 'config.storage.'].map(what => [`${what}replication.factor`, '1'])),
  })
}

function lines(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join('')
}
