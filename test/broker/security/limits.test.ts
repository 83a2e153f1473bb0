// What a connection may take of a broker: time before it says who it is, time for a request, bytes, and a place among the others.

import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { RequestMemory } from '../../../broker/server/security/request-memory.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import { encodeRequest } from '../../../broker/wire/frame.ts'
import { VirtualClock } from '../../../core/clock.ts'

let broker: Broker
const sockets: Socket[] = []
const warnings: string[] = []
const clock = new VirtualClock(1_000_000)
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  warnings.length = 0
  await broker.close()
})

async function serve(settings: BrokerOptions['settings']): Promise<void> {
  const logger = { info: () => {}, warn: (message: string) => void warnings.push(message), error: () => {} }
  broker = await startBroker({ memory: true, listen: '127.0.0.1:0', users: { alice: 'alice' }, clock, logger, settings: settings ?? {} })
}

interface Client {
  readonly socket: Socket
  readonly received: () => number
  readonly isClosed: () => boolean
}

async function open(): Promise<Client> {
  const socket = connect(broker.address!.port, '127.0.0.1')
  sockets.push(socket)
  let received = 0
  let closed = false
  socket.on('data', chunk => (received += chunk.length)).on('error', () => {}).on('close', () => (closed = true))
  await new Promise<void>(resolve => socket.once('connect', resolve))
  return { socket, received: () => received, isClosed: () => closed }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate()
}

const apiVersions = Buffer.concat(encodeRequest('ApiVersions', 0, { correlationId: 1, clientId: null }, {}))

/** Asks something that everybody may ask, so that what was sent before has been read. */
async function ask({ socket, received }: Client): Promise<void> {
  const before = received()
  socket.write(apiVersions)
  await until(() => received() > before)
}

describe('a client that has not said who it is', () => {
  test('has so much time, and no more for asking what everybody may ask', async () => {
    await serve({ 'sasl.enabled.mechanisms': 'PLAIN', 'millrace.authentication.timeout.ms': 1000 })
    const client = await open()
    await ask(client)
    clock.advance(900)
    await ask(client)
    clock.advance(99)
    await ask(client)
    expect(client.isClosed()).toBe(false)
    clock.advance(1)
    await until(client.isClosed)
    expect(warnings).toEqual(['connection closed: it did not say who it is in time'])
  })

  test('keeps its connection once it has', async () => {
    await serve({ 'sasl.enabled.mechanisms': 'PLAIN', 'millrace.authentication.timeout.ms': 1000 })
    const client = await open()
    for (const chunk of [
      ...encodeRequest('SaslHandshake', 1, { correlationId: 1, clientId: null }, { mechanism: 'PLAIN' }),
      ...encodeRequest('SaslAuthenticate', 0, { correlationId: 2, clientId: null }, { authBytes: Buffer.from('\0alice\0alice') }),
    ]) client.socket.write(chunk)
    await until(() => client.received() > 30)
    clock.advance(5000)
    await ask(client)
    expect(client.isClosed()).toBe(false)
  })

  test('waits as long for its refusal as the settings say, and asks nothing more', async () => {
    await serve({ 'sasl.enabled.mechanisms': 'PLAIN', 'connection.failed.authentication.delay.ms': 700, 'millrace.authentication.timeout.ms': 2_000_000_000, 'connections.max.idle.ms': 2_000_000_000 })
    const client = await open()
    for (const chunk of encodeRequest('SaslHandshake', 1, { correlationId: 1, clientId: null }, { mechanism: 'PLAIN' })) client.socket.write(chunk)
    await until(() => client.received() > 0)
    const before = client.received()
    for (const chunk of encodeRequest('SaslAuthenticate', 0, { correlationId: 2, clientId: null }, { authBytes: Buffer.from('\0alice\0no') })) client.socket.write(chunk)
    client.socket.write(apiVersions)
    for (let turn = 0; turn < 200 && client.received() === before; turn++) {
      clock.advance(1)
      await setImmediate()
    }
    expect(client.received()).toBe(before)
    while (client.received() === before) {
      clock.advance(100)
      await setImmediate()
    }
    await until(client.isClosed)
    expect(client.received() - before).toBeLessThan(150)
  })
})

test('byte after byte of a request that never ends is no sign of life', async () => {
  await serve({ 'connections.max.idle.ms': 1000 })
  const client = await open()
  const other = await open()
  client.socket.write(Buffer.from([0, 0, 1, 0]))
  for (let second = 0; second < 4; second++) {
    client.socket.write(Buffer.from([0]))
    await ask(other)
    clock.advance(240)
  }
  expect(client.isClosed()).toBe(false)
  clock.advance(100)
  await until(client.isClosed)
  expect(other.isClosed()).toBe(false)
  expect(warnings).toEqual(['connection closed: idle'])
})

test('a connection too many is closed at once, and its place is free when another goes', async () => {
  await serve({ 'max.connections': 2 })
  const first = await open()
  const second = await open()
  await ask(second)
  const third = await open()
  await until(third.isClosed)
  first.socket.destroy()
  let last = await open()
  for (; ; last = await open()) {
    last.socket.write(apiVersions)
    await until(() => last.isClosed() || last.received() > 0)
    if (!last.isClosed()) break
  }
  expect(last.received()).toBeGreaterThan(0)
})

describe('strangers', () => {
  const openConnections = (): unknown => [...broker.metrics().find(({ name }) => name === 'millrace_connections')!.samples][0]!.value

  /** Whether it has a place: it is answered, or closed at once. */
  async function isIn(client: Client): Promise<boolean> {
    client.socket.write(apiVersions)
    await until(() => client.isClosed() || client.received() > 0)
    return !client.isClosed()
  }

  async function logIn(client: Client): Promise<void> {
    const before = client.received()
    for (const chunk of [
      ...encodeRequest('SaslHandshake', 1, { correlationId: 1, clientId: null }, { mechanism: 'PLAIN' }),
      ...encodeRequest('SaslAuthenticate', 0, { correlationId: 2, clientId: null }, { authBytes: Buffer.from('\0alice\0alice') }),
    ]) client.socket.write(chunk)
    await until(() => client.received() > before + 30)
    await ask(client)
  }

  test('have half of all connections; the other half is for clients that have said who they are', async () => {
    await serve({ 'sasl.enabled.mechanisms': 'PLAIN', 'max.connections': 4 })
    const [first, second] = [await open(), await open()]
    expect([await isIn(first), await isIn(second), await isIn(await open())]).toEqual([true, true, false])
    expect(warnings).toEqual(['connection refused: too many are open'])
    await logIn(first)
    const third = await open()
    expect([await isIn(third), await isIn(await open())]).toEqual([true, false])
    await logIn(second)
    expect([await isIn(await open()), await isIn(await open())]).toEqual([true, false])
    // Who was known makes room for those that will be when he goes, and a stranger for another one.
    first.socket.destroy()
    await until(() => openConnections() === 3)
    expect(await isIn(await open())).toBe(false)
    third.socket.destroy()
    await until(() => openConnections() === 2)
    expect([await isIn(await open()), await isIn(await open())]).toEqual([true, false])
  })

  test('are none where nobody needs to say who he is', async () => {
    await serve({ 'max.connections': 2 })
    expect([await isIn(await open()), await isIn(await open())]).toEqual([true, true])
  })
})

describe('the memory of requests', () => {
  test('wakes who waits, one after the other, as long as there is room', async () => {
    await serve({})
    const memory = new RequestMemory(100)
    const woken: string[] = []
    const holder = memory.share(() => woken.push('holder'))
    holder.hold(120)
    expect(memory.isFull).toBe(true)
    const greedy = memory.share(() => {
      woken.push('greedy')
      greedy.hold(100)
    })
    const patient = memory.share(() => woken.push('patient'))
    greedy.wait()
    patient.wait()
    holder.hold(90)
    expect([...woken]).toEqual(['greedy'])
    expect(memory.bytes).toBe(190)
    holder.release()
    expect([...woken]).toEqual(['greedy'])
    greedy.release()
    expect([...woken]).toEqual(['greedy', 'patient'])
    expect(memory.bytes).toBe(0)
  })

  test('is never twice of what there may be: who makes it so is sent away', async () => {
    await serve({})
    const memory = new RequestMemory(100)
    const shares = Array.from({ length: 3 }, () => memory.share(() => {}))
    shares[0]!.hold(99)
    shares[1]!.hold(99)
    expect(() => shares[2]!.hold(10)).toThrow(expect.objectContaining({ code: 'REQUEST_MEMORY_FULL' }) as Error)
    shares[2]!.release()
    expect(memory.bytes).toBe(198)
  })
})
