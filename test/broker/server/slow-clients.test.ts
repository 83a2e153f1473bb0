// Clients that are slow, half dead or rude, over real sockets: they get what they are due, are closed in their time, and others never notice.

import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { encodeRequest } from '../../../broker/wire/frame.ts'
import { batchOf, recordsOf } from '../log/batches.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

const idleMs = 600_000
const clock = new VirtualClock(1_700_000_000_000)
let broker: Broker
let control: Channel
const raw: RawClient[] = []

beforeEach(async () => {
  broker = await startBroker({ disk: new MemoryDisk(), clock, random: seededRandom(1), listen: '127.0.0.1:0' })
  control = await connectTcpChannel({ ...broker.address!, clock, clientId: 'control', requestTimeoutMs: 2 ** 31 - 1 })
  await control.request('Metadata', { topics: [{ name: 'big' }, { name: 'control' }] })
})

afterEach(async () => {
  for (const client of raw.splice(0)) client.close()
  control.close()
  await broker.close()
})

async function open(): Promise<RawClient> {
  const client = await connectRaw(broker.address!.port)
  raw.push(client)
  return client
}

async function until(done: () => boolean): Promise<void> {
  for (let turns = 0; !done(); turns++) {
    if (turns > 100_000) throw new Error('this never ends')
    await turn()
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

async function produce(topic: string, value: string): Promise<number> {
  const records = batchOf([{ key: 'k', value, timestamp: clock.now() }])
  const { responses } = await control.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }, { version: 9 })
  expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  return responses[0]!.partitionResponses[0]!.baseOffset
}

/** The control client writes and reads, without any time passing. */
async function round(): Promise<void> {
  const at = clock.now()
  const offset = await produce('control', 'mine')
  const { responses } = await control.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'control', partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1e6 }] }] }, { version: 11 })
  expect(recordsOf(responses[0]!.partitions[0]!.records!).map(({ value }) => value)).toEqual(['mine'])
  expect(clock.now()).toBe(at)
}

function versions(correlationId: number): Buffer {
  return Buffer.concat(encodeRequest('ApiVersions', 0, { correlationId, clientId: null }, {}))
}

function bigFetch(correlationId: number, maxWaitMs = 0, minBytes = 1): Buffer {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2 ** 31 - 1 }]
  return Buffer.concat(encodeRequest('Fetch', 11, { correlationId, clientId: null }, { maxWaitMs, minBytes, maxBytes: 2 ** 31 - 1, topics: [{ topic: 'big', partitions }] }))
}

test('a client that sends byte by byte gets its answer', async () => {
  const client = await open()
  for (const byte of versions(7)) {
    client.send(Buffer.from([byte]))
    await turns(2)
  }
  await until(() => client.frames.length === 1)
  expect(client.frames[0]!.readInt32BE(0)).toBe(7)
})

test.each([
  ['says nothing', Buffer.alloc(0)],
  ['stops within a length', Buffer.from([0, 0])],
  ['stops within a frame', versions(1).subarray(0, 9)],
  ['announces 100 MB and stops', Buffer.from('0640000000000001', 'hex')],
])('a client that %s is closed when it has been idle, and not before', async (_, bytes) => {
  const client = await open()
  client.send(bytes)
  await turns(20)
  for (let minutes = 0; minutes < 9; minutes++) {
    clock.advance(60_000)
    await round()
  }
  expect(client.isClosed).toBe(false)
  clock.advance(idleMs)
  await until(() => client.isClosed)
  // The control client was at work a minute ago, as the clock has it; it is closed like any other and comes again.
  control = await connectTcpChannel({ ...broker.address!, clock, clientId: 'control' })
  await round()
})

test('thousands of half frames hold no memory to speak of', async () => {
  const before = process.memoryUsage().rss
  await Promise.all(Array.from({ length: 500 }, async () => (await open()).send(Buffer.from('0640000000000001', 'hex'))))
  await turns(50)
  await round()
  expect(process.memoryUsage().rss - before).toBeLessThan(200e6)
})

test('readers that ask for everything and take nothing hold one answer each, and go when they are idle', async () => {
  for (let n = 0; n < 8; n++) await produce('big', 'x'.repeat(1_000_000))
  const readers = await Promise.all(Array.from({ length: 20 }, () => open()))
  const before = process.memoryUsage().rss
  for (const reader of readers) {
    reader.socket.pause()
    for (let n = 0; n < 30; n++) reader.send(bigFetch(n))
  }
  await turns(300)
  await round()
  expect(process.memoryUsage().rss - before).toBeLessThan(600e6)
  clock.advance(idleMs)
  clock.advance(5_000)
  control.close()
  for (const reader of readers) reader.socket.resume()
  await until(() => readers.every(({ isClosed }) => isClosed))
  for (const { frames } of readers) expect(frames.length).toBeLessThan(5)
  control = await connectTcpChannel({ ...broker.address!, clock, clientId: 'control' })
  await round()
})

test('connections that come and go by the hundred leave nothing behind', async () => {
  for (let wave = 0; wave < 6; wave++) {
    const clients = await Promise.all(Array.from({ length: 100 }, () => connectRaw(broker.address!.port)))
    for (const [index, client] of clients.entries()) {
      if (index % 4 === 1) client.send(versions(1))
      if (index % 4 === 2) client.send(bigFetch(1, 2 ** 31 - 1, 2 ** 31 - 1))
      if (index % 4 === 3) client.send(versions(1).subarray(0, 5))
    }
    if (wave % 2 === 0) await turns(3)
    const leave = (['end', 'destroy', 'resetAndDestroy'] as const)[wave % 3]!
    for (const { socket } of clients) socket[leave]()
    await until(() => clients.every(({ isClosed }) => isClosed))
    await round()
  }
})

test('a client that resets its connection in the middle of an answer ends nothing else', async () => {
  for (let n = 0; n < 3; n++) await produce('big', 'x'.repeat(1_000_000))
  for (let n = 0; n < 12; n++) {
    const client = await open()
    client.send(Buffer.concat([bigFetch(1), bigFetch(2), bigFetch(3, 60_000, 2 ** 31 - 1)]))
    await turns(n)
    client.socket.resetAndDestroy()
    await round()
  }
})

test('a client that sends without end while it waits for an answer is not read any further', async () => {
  const client = await open()
  const groups = Array.from({ length: 10 }, (_, index) => `${index}`.padEnd(10_000, '.'))
  const large = Buffer.concat(encodeRequest('DescribeGroups', 0, { correlationId: 2, clientId: null }, { groups }))
  client.send(bigFetch(1, 60_000, 2 ** 31 - 1))
  for (let n = 0; n < 400; n++) client.send(large)
  await turns(300)
  // What the kernel's buffers take is some megabytes of the forty.
  expect(client.socket.writableLength).toBeGreaterThan(15e6)
  expect(client.frames.length).toBe(0)
  await round()
  clock.advance(60_000)
  await until(() => client.frames.length === 401)
  expect(client.socket.writableLength).toBe(0)
})
