// Accepted sockets that are read into one buffer: each brings its own bytes in order, can be paused, says when it ends, and is closed.

import { once } from 'node:events'
import { connect, createServer, Socket, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SharedReads } from '../../../broker/server/shared-reads.ts'

interface Heard {
  readonly socket: Socket
  readonly isShared: boolean
  readonly chunks: Buffer[]
  /** Resolves when so many bytes have come. */
  bytes(count: number): Promise<void>
}

const reads = new SharedReads()
const server = createServer({ allowHalfOpen: true })
let accepted: Heard[] = []
let clients: Socket[] = []

beforeEach(async () => {
  accepted = []
  clients = []
  server.removeAllListeners('connection').on('connection', socket => accepted.push(heard(socket)))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  for (const { socket } of accepted) socket.destroy()
  for (const client of clients) client.destroy()
  await new Promise(resolve => server.close(resolve))
})

test.skipIf(process.platform === 'win32')('this Node goes along', async () => {
  const { incoming } = await connection()
  expect(incoming.isShared).toBe(true)
})

test('each socket brings its own bytes, in order, whatever the others bring', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, connection))
  const sent = all.map((_, i) => Buffer.from(Array.from({ length: 700_001 }, (_byte, at) => (at * 7 + i * 13) & 255)))
  all.forEach(({ client }, i) => client.write(sent[i]!))
  await Promise.all(all.map(({ incoming }) => incoming.bytes(700_001)))
  all.forEach(({ incoming }, i) => expect(Buffer.concat(incoming.chunks).equals(sent[i]!)).toBe(true))
})

test('while one is paused nothing comes, and all of it afterwards', async () => {
  const { client, incoming } = await connection()
  client.write('a')
  await incoming.bytes(1)
  incoming.socket.pause()
  const other = await connection()
  client.write(Buffer.alloc(300_000, 'b'))
  other.client.write('c')
  await other.incoming.bytes(1)
  expect(incoming.socket.isPaused()).toBe(true)
  expect(Buffer.concat(incoming.chunks).length).toBe(1)
  incoming.socket.resume()
  await incoming.bytes(300_001)
})

test('the end of what the client says is heard, and it can be answered still', async () => {
  const { client, incoming } = await connection()
  const ended = once(incoming.socket, 'end')
  const closed = once(incoming.socket, 'close')
  client.end('last words')
  await Promise.all([ended, incoming.bytes(10)])
  incoming.socket.end('an answer')
  expect(String((await once(client, 'data'))[0])).toBe('an answer')
  await closed
})

test('a client that vanishes is an error or an end, and a closed socket', async () => {
  const { client, incoming } = await connection()
  const closed = new Promise(resolve => incoming.socket.on('error', () => undefined).once('close', resolve))
  incoming.socket.on('end', () => incoming.socket.destroy())
  client.resetAndDestroy()
  await closed
})

test('a socket without what it takes is read as Node reads', () => {
  const socket = new Socket()
  const incoming = reads.adopt(socket)
  expect(incoming).toMatchObject({ socket, isShared: false })
})

async function connection(): Promise<{ client: Socket; incoming: Heard }> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  clients.push(client)
  await once(client, 'connect')
  // The kernel accepts before the server does.
  for (;;) {
    const incoming = accepted.find(({ socket }) => socket.remotePort === client.localPort)
    if (incoming !== undefined) return { client, incoming }
    await new Promise(resolve => setImmediate(resolve))
  }
}

function heard(from: Socket): Heard {
  const incoming = reads.adopt(from)
  const { socket, isShared } = incoming
  const chunks: Buffer[] = []
  let total = 0
  let wake = (): void => {}
  incoming.listen(chunk => {
    chunks.push(Buffer.from(chunk))
    total += chunk.length
    wake()
  })
  return {
    socket, isShared, chunks,
    bytes: count => new Promise(resolve => {
      wake = () => void (total >= count && resolve())
      wake()
    }),
  }
}
