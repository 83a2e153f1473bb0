// Clients that do not take their answers: what they hold is bounded, and the others are served meanwhile.

import { connect as connectSocket, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { AnswerMemory, type AnswerHolder } from '../../../broker/engine/answer-memory.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { encodeRequest } from '../../../broker/wire/frame.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { batchOf } from '../log/batches.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const MB = 1024 * 1024
const batchBytes = 900_000
const batches = 40

const request = (maxBytes: number, fetchOffset = 0) => ({
  maxWaitMs: 0, minBytes: 1, maxBytes, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
  topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: maxBytes }] }],
})

/** A broker with 36 MB in a topic, that may hold 4 MiB of answers. */
async function start(clock: VirtualClock): Promise<{ broker: Broker; port: number; channel: Channel }> {
  const broker = await startBroker({ memory: true, listen: '127.0.0.1:0', clock, settings: { 'millrace.queued.max.response.bytes': 4 * MB } })
  cleanups.push(() => broker.close())
  const { port } = broker.address!
  const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock, clientId: 'test' })
  cleanups.push(() => channel.close())
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
  for (let i = 0; i < batches; i++) {
    const records = batchOf([{ key: 'k', value: 'v'.repeat(batchBytes), timestamp: 1 }])
    await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  }
  return { broker, port, channel }
}

/** Asks for everything, again and again, and takes nothing. */
async function slowReader(port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1')
  socket.on('error', () => {}) // It may be cut off.
  cleanups.push(() => void socket.destroy())
  socket.pause()
  for (let i = 1; i <= 20; i++) socket.write(Buffer.concat(encodeRequest('Fetch', 11, { correlationId: i, clientId: 'slow' }, request(50 * MB))))
  await new Promise<void>(resolve => socket.write('', () => resolve()))
  return socket
}

function heldBytes(broker: Broker): number {
  return [...broker.metrics().find(({ name }) => name === 'millrace_answers_held_bytes')!.samples][0]!.value as number
}

async function readAll(channel: Channel): Promise<number> {
  let records = 0
  for (let offset = 0; offset < batches; offset = records) {
    const { responses } = await channel.request('Fetch', request(50 * MB, offset), { version: 11 })
    records += Math.floor(responses[0]!.partitions[0]!.records!.length / batchBytes)
  }
  return records
}

test('readers that take nothing hold a bounded amount together, one batch each at worst; others read on', async () => {
  const { broker, port, channel } = await start(new VirtualClock(1000))
  const readers = 12
  const sockets = await Promise.all(Array.from({ length: readers }, () => slowReader(port)))
  while (heldBytes(broker) < 4 * MB) await setImmediate()
  let largest = 0
  for (let i = 0; i < 3; i++) {
    expect(await readAll(channel)).toBe(batches)
    largest = Math.max(largest, heldBytes(broker))
  }
  expect(largest).toBeLessThan(4 * MB + (readers + 1) * MB)
  for (const socket of sockets) socket.destroy()
  while (heldBytes(broker) > 0) await setImmediate()
})

test('where memory is short, who has taken nothing for long is cut off, one at a time', async () => {
  const clock = new VirtualClock(1000)
  const { broker, port, channel } = await start(clock)
  const sockets = await Promise.all(Array.from({ length: 12 }, () => slowReader(port)))
  const closed = sockets.map(socket => new Promise<void>(resolve => socket.once('close', () => resolve())))
  while (heldBytes(broker) < 8 * MB) await setImmediate()
  clock.advance(10_000)
  expect(await readAll(channel)).toBe(batches)
  // Who does not read does not see the end of its connection either.
  for (const socket of sockets) socket.resume()
  await Promise.any(closed)
  expect(await readAll(channel)).toBe(batches)
})

test('room shrinks by halves, is given back, and an end gives back all', () => {
  const clock = new VirtualClock()
  const memory = new AnswerMemory(1000, clock)
  const cut: string[] = []
  const holder = (name: string): AnswerHolder => ({ cutOff: () => cut.push(name) })
  const [a, b, c] = [holder('a'), holder('b'), holder('c')]
  expect(memory.room).toBe(500)
  memory.hold(a, 500)
  expect(memory.room).toBe(250)
  memory.hold(b, 1000)
  expect(memory.room).toBe(0)
  memory.release(a, 100)
  memory.release(a, 900)
  expect(memory.heldBytes).toBe(1000)
  clock.advance(9_000)
  memory.hold(a, 900)
  memory.hold(c, 900)
  expect(cut).toEqual([])
  clock.advance(1_000)
  memory.hold(c, 1)
  expect(cut).toEqual(['b'])
  memory.release(b)
  memory.release(a)
  memory.release(c)
  expect(memory.heldBytes).toBe(0)
})
