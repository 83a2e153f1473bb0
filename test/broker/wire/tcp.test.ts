// Channel and server over real sockets: pipelining, limits, bad bytes, and what each side sees when the other goes.

import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { connectTcpChannel, type TcpChannelOptions } from '../../../broker/client/tcp-channel.ts'
import { ConnectionCount } from '../../../broker/server/security/connection-limits.ts'
import { startTcpServer, type TcpServer, type TcpServerOptions } from '../../../broker/server/tcp-server.ts'
import { apiNames, apis, type ApiName, type RequestOf, type ResponseInput } from '../../../broker/wire/apis.ts'
import { ByteReader } from '../../../broker/wire/byte-reader.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { decodeResponse, encodeRequest, encodeResponse } from '../../../broker/wire/frame.ts'
import { FrameSplitter } from '../../../broker/wire/frame-splitter.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import type { Session } from '../../../broker/wire/session.ts'
import { arbitraryBody, everyMessage } from './arbitrary-message.ts'
import { systemClock, VirtualClock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import type { Logger, LogFields } from '../../../core/logger.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Handlers = { readonly [N in ApiName]?: (body: RequestOf<N>, session: SessionOfTest) => Promise<ResponseInput<N> | null> | ResponseInput<N> | null }

class SessionOfTest implements Session {
  readonly closed: Promise<void>
  close!: () => void
  readonly #handlers: Handlers

  constructor(handlers: Handlers) {
    this.#handlers = handlers
    this.closed = new Promise(resolve => {
      this.close = resolve
    })
  }

  async handle<N extends ApiName>(api: N, _version: number, body: RequestOf<N>): Promise<ResponseInput<N> | null> {
    const handler = this.#handlers[api] as ((body: RequestOf<N>, session: SessionOfTest) => Promise<ResponseInput<N> | null>) | undefined
    if (handler === undefined) throw new MillraceError('UNSUPPORTED_VERSION', `${api} is not served.`)
    return handler(body, this)
  }
}

/** Sessions that know what the handlers know, and every version of it. */
function sessionsOf(handlers: Handlers): () => Session {
  const apiKeys = apiNames.map(name => ({ apiKey: apis[name].key, minVersion: apis[name].minVersion, maxVersion: apis[name].maxVersion }))
  return () => new SessionOfTest({ ApiVersions: () => ({ errorCode: 0, apiKeys }), ...handlers })
}

interface Lines extends Logger {
  readonly lines: { readonly message: string; readonly fields: LogFields }[]
}

function recordingLogger(): Lines {
  const lines: Lines['lines'] = []
  const log = (message: string, fields: LogFields = {}): void => void lines.push({ message, fields })
  return { lines, info: log, warn: log, error: log }
}

async function serve(handlers: Handlers, options: Partial<TcpServerOptions> = {}): Promise<TcpServer & { readonly logger: Lines }> {
  const logger = recordingLogger()
  const server = await startTcpServer({ sessions: sessionsOf(handlers), clock: systemClock, logger, ...options })
  cleanups.push(() => server.close())
  return Object.assign(Object.create(server) as TcpServer, { logger })
}

async function connect(port: number, options: Partial<TcpChannelOptions> = {}): Promise<Channel> {
  const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, clientId: 'test', ...options })
  cleanups.push(() => channel.close())
  return channel
}

function openSocket(port: number): Promise<Socket> {
  return new Promise(resolve => {
    const socket = connectSocket(port, '127.0.0.1', () => resolve(socket))
    cleanups.push(() => void socket.destroy())
  })
}

/** All bytes until the other side closes. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate()
}

const echoGroups: Handlers = { DescribeGroups: ({ groups }) => ({ groups: groups.map(groupId => ({ errorCode: 0, groupId, groupState: 'Stable', protocolType: '', protocolData: '', members: [] })) }) }
const emptyFetch = { maxWaitMs: 0, minBytes: 0, topics: [] }

describe('a channel', () => {
  test('gets the answer to each of many pipelined requests', async () => {
    const { port } = await serve(echoGroups)
    const channel = await connect(port)
    const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => channel.request('DescribeGroups', { groups: [`g${i}`], includeAuthorizedOperations: false })))
    expect(answers.map(({ groups }) => groups[0]!.groupId)).toEqual(Array.from({ length: 500 }, (_, i) => `g${i}`))
  })

  test('carries megabytes both ways', async () => {
    const records = Buffer.alloc(5_000_000, 'abcdefgh')
    let received: Buffer | null = null
    const { port } = await serve({
      Produce: ({ topicData }) => {
        received = topicData[0]!.partitionData[0]!.records
        return { responses: [] }
      },
      Fetch: () => ({ responses: [{ topic: 't', partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 0, abortedTransactions: null, records }] }] }),
    })
    const channel = await connect(port)
    await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 9 })
    const { responses } = await channel.request('Fetch', emptyFetch, { version: 12 })
    expect(received!.equals(records)).toBe(true)
    expect(responses[0]!.partitions[0]!.records!.equals(records)).toBe(true)
  })

  test('does not wait for an answer to a Produce with acks 0', async () => {
    let produced = 0
    const { port } = await serve({ ...echoGroups, Produce: () => (produced++, null) })
    const channel = await connect(port)
    for (let i = 0; i < 3; i++) await channel.request('Produce', { acks: 0, timeoutMs: 1, topicData: [] })
    expect((await channel.request('DescribeGroups', { groups: ['g'] })).groups).toHaveLength(1)
    expect(produced).toBe(3)
  })

  test('speaks with a broker that knows only the first version of ApiVersions', async () => {
    const server = createServer(socket => {
      const splitter = new FrameSplitter(1000, new LentBuffers(0))
      socket.on('data', chunk => splitter.push(chunk, frame => {
        const correlationId = frame.readInt32BE(4)
        const errorCode = frame.readInt16BE(2) > 0 ? 35 : 0
        const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 0 }, { apiKey: 3, minVersion: 0, maxVersion: 2 }, { apiKey: 12_345, minVersion: 0, maxVersion: 0 }]
        for (const bytes of encodeResponse('ApiVersions', 0, correlationId, { errorCode, apiKeys })) socket.write(bytes)
      }))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => void server.close())
    const channel = await connect((server.address() as { port: number }).port)
    expect(channel.versionOf('Metadata')).toBe(2)
    expect(() => channel.versionOf('Produce')).toThrow('does not serve Produce')
  })

  test('fails requests, retriably, when the broker goes', async () => {
    const server = await serve({ Fetch: (_, session) => session.closed.then(() => null) })
    const channel = await connect(server.port)
    const waiting = channel.request('Fetch', emptyFetch)
    const failure = waiting.catch((error: unknown) => error)
    await server.close()
    expect(await failure).toMatchObject({ code: 'CONNECTION_FAILED', retriable: true })
    expect(await channel.closed).toMatchObject({ code: 'CONNECTION_FAILED' })
    await expect(channel.request('Fetch', emptyFetch)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('times a request out, and is closed then', async () => {
    const clock = new VirtualClock()
    const { port } = await serve({ Fetch: (_, session) => session.closed.then(() => null) })
    const channel = await connect(port, { clock })
    const waiting = channel.request('Fetch', emptyFetch, { timeoutMs: 700 })
    clock.advance(699)
    const failure = waiting.catch((error: unknown) => error)
    clock.advance(1)
    expect(await failure).toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: true })
    expect(await channel.closed).toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  })

  test('gives up waiting on an abort and stays usable', async () => {
    let answer!: () => void
    const { port } = await serve({ ...echoGroups, Fetch: () => new Promise(resolve => {
      answer = () => resolve({ responses: [] })
    }) })
    const channel = await connect(port)
    const controller = new AbortController()
    const waiting = channel.request('Fetch', emptyFetch, { signal: controller.signal })
    controller.abort(new Error('no longer needed'))
    await expect(waiting).rejects.toThrow('no longer needed')
    const next = channel.request('DescribeGroups', { groups: ['g'] })
    await until(() => answer !== undefined)
    answer()
    expect((await next).groups[0]!.groupId).toBe('g')
  })

  test('keeps at most so many requests in flight', async () => {
    const { port } = await serve(echoGroups)
    const channel = await connect(port, { maxInFlight: 2, maxWaiting: 3 })
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => channel.request('DescribeGroups', { groups: [] })))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
  })

  test('says what to check where nobody listens', async () => {
    const server = await serve({})
    await server.close()
    await expect(connect(server.port)).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retriable: true, hint: expect.stringContaining('address') as string })
  })

  test('refuses an answer that nobody asked for', async () => {
    const server = createServer(socket => socket.once('data', () => socket.write(Buffer.concat(encodeResponse('ApiVersions', 0, 99, { errorCode: 0, apiKeys: [] })))))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => void server.close())
    await expect(connect((server.address() as { port: number }).port)).rejects.toThrow('answers request 99')
  })
})

describe('a server', () => {
  test('answers ApiVersions of an unknown version in version 0 with error 35', async () => {
    const { port } = await serve({})
    const socket = await openSocket(port)
    socket.write(Buffer.from([0, 0, 0, 10, 0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff]))
    const answer = (await new Promise<Buffer>(resolve => socket.once('data', resolve))).subarray(4)
    const reader = new ByteReader(answer)
    expect(reader.int32()).toBe(7)
    expect(decodeResponse('ApiVersions', 0, reader)).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] })
  })

  const truncated = Buffer.concat(encodeRequest('DescribeGroups', 5, { correlationId: 1, clientId: null }, { groups: ['abc'] }))
  truncated.writeInt32BE(truncated.length - 4 - 2, 0)
  test.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'MALFORMED_FRAME'],
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xf0]), 'MALFORMED_FRAME'],
    ['an unknown API', Buffer.from([0, 0, 0, 10, 0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff]), 'UNSUPPORTED_VERSION'],
    ['an unknown version', Buffer.from([0, 0, 0, 10, 0, 3, 0x7f, 0, 0, 0, 0, 1, 0xff, 0xff]), 'UNSUPPORTED_VERSION'],
    ['an empty frame', Buffer.from([0, 0, 0, 0]), 'MALFORMED_FRAME'],
    ['a request that ends too early', truncated.subarray(0, -2), 'MALFORMED_FRAME'],
    ['an API that its session does not serve', Buffer.concat(encodeRequest('ListGroups', 4, { correlationId: 1, clientId: null }, { statesFilter: [] })), 'UNSUPPORTED_VERSION'],
  ])('closes the connection that sends %s, logs why, and serves the others', async (_, bytes, code) => {
    const { port, logger } = await serve(echoGroups)
    const channel = await connect(port)
    const socket = await openSocket(port)
    socket.write(bytes)
    expect(await readAll(socket)).toHaveLength(0)
    expect(logger.lines).toMatchObject([{ message: 'connection closed', fields: { code, host: '127.0.0.1', port: expect.any(Number) as number, reason: expect.any(String) as string } }])
    expect((await channel.request('DescribeGroups', { groups: ['g'] })).groups).toHaveLength(1)
  })

  test('closes the connection, not the process, when a handler has a bug', async () => {
    const { port, logger } = await serve({ ...echoGroups, ListGroups: () => { throw new TypeError('oops') } })
    const channel = await connect(port)
    await expect(channel.request('ListGroups', {})).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(logger.lines).toMatchObject([{ message: 'a request failed by a bug', fields: { cause: { message: 'oops' } } }])
  })

  test('answers in order what comes byte by byte', async () => {
    const { port } = await serve(echoGroups)
    const socket = await openSocket(port)
    socket.setNoDelay(true)
    const bytes = Buffer.concat([1, 2, 3].flatMap(correlationId => encodeRequest('DescribeGroups', 0, { correlationId, clientId: 'x' }, { groups: [`g${correlationId}`] })))
    for (let i = 0; i < bytes.length; i++) {
      socket.write(bytes.subarray(i, i + 1))
      await setImmediate()
    }
    const answers: [number, string][] = []
    const splitter = new FrameSplitter(1000, new LentBuffers(0))
    socket.on('data', chunk => splitter.push(chunk, frame => {
      const reader = new ByteReader(frame)
      answers.push([reader.int32(), decodeResponse('DescribeGroups', 0, reader).groups[0]!.groupId])
    }))
    await until(() => answers.length === 3)
    expect(answers).toEqual([[1, 'g1'], [2, 'g2'], [3, 'g3']])
  })

  test('does what was sent before the client closed', async () => {
    const correlationIds: number[] = []
    const { port } = await serve({ Produce: ({ timeoutMs }) => (correlationIds.push(timeoutMs), null) })
    const socket = await openSocket(port)
    const frames = [1, 2, 3].flatMap(timeoutMs => encodeRequest('Produce', 9, { correlationId: timeoutMs, clientId: null }, { acks: 0, timeoutMs, topicData: [] }))
    socket.end(Buffer.concat(frames))
    await readAll(socket)
    expect(correlationIds).toEqual([1, 2, 3])
  })

  test('has Produces overlap, answers them in order, and handles nothing else meanwhile', async () => {
    const events: string[] = []
    const release: (() => void)[] = []
    const { port } = await serve({
      Produce: ({ timeoutMs }) => {
        events.push(`produce ${timeoutMs}`)
        return new Promise(resolve => release.push(() => resolve({ responses: [], throttleTimeMs: timeoutMs })))
      },
      DescribeGroups: () => (events.push('describe'), { groups: [] }),
    })
    const channel = await connect(port)
    const answered: Promise<unknown>[] = [1, 2, 3].map(timeoutMs =>
      channel.request('Produce', { acks: 1, timeoutMs, topicData: [] }).then(({ throttleTimeMs }) => events.push(`answer ${throttleTimeMs}`)))
    answered.push(channel.request('DescribeGroups', { groups: [] }).then(() => events.push('answer')))
    await until(() => release.length === 3)
    for (const resolve of release.reverse()) resolve()
    await Promise.all(answered)
    expect(events).toContain('describe')
    expect(events.slice(0, 3)).toEqual(['produce 1', 'produce 2', 'produce 3'])
    expect(events.filter(event => event.startsWith('answer'))).toEqual(['answer 1', 'answer 2', 'answer 3', 'answer'])
  })

  test('has OffsetCommits overlap each other, and not with Produces', async () => {
    const events: string[] = []
    const release: (() => void)[] = []
    const { port } = await serve({
      Produce: () => (events.push('produce'), { responses: [] }),
      OffsetCommit: ({ groupId }) => {
        events.push(`commit ${groupId}`)
        return new Promise(resolve => release.push(() => resolve({ topics: [{ name: groupId, partitions: [] }] })))
      },
    })
    const channel = await connect(port)
    const commit = (groupId: string): Promise<unknown> => channel.request('OffsetCommit', { groupId, generationIdOrMemberEpoch: -1, memberId: '', topics: [] }, { version: 8 }).then(({ topics }) => events.push(`answer ${topics[0]!.name}`))
    const answered: Promise<unknown>[] = ['a', 'b'].map(commit)
    answered.push(channel.request('Produce', { acks: 1, timeoutMs: 1, topicData: [] }, { version: 9 }), commit('c'))
    await until(() => release.length === 2)
    for (const resolve of release.splice(0).reverse()) resolve()
    await until(() => release.length === 1)
    release[0]!()
    await Promise.all(answered)
    expect(events.filter(event => !event.startsWith('answer'))).toEqual(['commit a', 'commit b', 'produce', 'commit c'])
    expect(events.filter(event => event.startsWith('answer'))).toEqual(['answer a', 'answer b', 'answer c'])
  })

  test('tells the session when its client goes during a long poll', async () => {
    let polling = false
    let closed = false
    const { port } = await serve({
      Fetch: async (_, session) => {
        polling = true
        await session.closed
        closed = true
        return null
      },
    })
    const channel = await connect(port)
    const waiting = channel.request('Fetch', emptyFetch)
    await until(() => polling)
    channel.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(await channel.closed).toBeNull()
    await until(() => closed)
  })

  test('answers what is being done when it closes, and ends what only waits', async () => {
    const release: (() => void)[] = []
    const begun: string[] = []
    const server = await serve({
      Produce: ({ timeoutMs }) => {
        begun.push(`produce ${timeoutMs}`)
        return new Promise(resolve => release.push(() => resolve({ responses: [], throttleTimeMs: timeoutMs })))
      },
      Fetch: async (_, session) => {
        begun.push('fetch')
        await session.closed
        return null
      },
      JoinGroup: () => {
        begun.push('join')
        return new Promise(() => {})
      },
    })
    const [producing, fetching, joining] = await Promise.all([connect(server.port), connect(server.port), connect(server.port)])
    const produced = [1, 2].map(timeoutMs => producing.request('Produce', { acks: -1, timeoutMs, topicData: [] }))
    const fetched = fetching.request('Fetch', emptyFetch)
    const joined = joining.request('JoinGroup', { groupId: 'g', sessionTimeoutMs: 1, memberId: '', protocolType: '', protocols: [] })
    await until(() => begun.length === 4)
    const closed = server.close()
    await expect(fetched).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    await expect(joined).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    for (const resolve of release) resolve()
    expect((await Promise.all(produced)).map(({ throttleTimeMs }) => throttleTimeMs)).toEqual([1, 2])
    await closed
  })

  test('takes no more connections than allowed', async () => {
    const server = await serve(echoGroups, { count: new ConnectionCount(1, Infinity) })
    const channel = await connect(server.port)
    await expect(connect(server.port)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(server.logger.lines).toMatchObject([{ message: 'connection refused: too many are open' }])
    channel.close()
    await until(() => server.connections === 0)
    await connect(server.port)
  })

  test('closes an idle connection, but not one that waits for an answer', async () => {
    const clock = new VirtualClock()
    let polling = false
    const server = await serve({ Fetch: async (_, session) => {
      polling = true
      await session.closed
      return null
    } }, { clock, limits: { maxIdleMs: 1000 } })
    const idle = await connect(server.port)
    const busy = await connect(server.port)
    const waiting = busy.request('Fetch', emptyFetch)
    await until(() => polling)
    clock.advance(1000)
    expect(await idle.closed).toMatchObject({ code: 'CONNECTION_FAILED' })
    await until(() => server.connections === 1)
    busy.close()
    await expect(waiting).rejects.toBeInstanceOf(MillraceError)
  })

  test('stops handling, and reading, for a client that does not read its answers', async () => {
    const clock = new VirtualClock()
    let handled = 0
    const records = Buffer.alloc(1_000_000)
    const server = await serve({
      Fetch: () => {
        handled++
        return { responses: [{ topic: 't', partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 0, abortedTransactions: null, records }] }] }
      },
    }, { clock, limits: { maxIdleMs: 1000 } })
    const socket = await openSocket(server.port)
    socket.pause()
    const request = Buffer.concat(encodeRequest('Fetch', 12, { correlationId: 1, clientId: null }, emptyFetch))
    for (let i = 0; i < 1000; i++) socket.write(request)
    let before = -1
    for (let quietTurns = 0; quietTurns < 200; quietTurns = handled === before ? quietTurns + 1 : 0) {
      before = handled
      await setImmediate()
    }
    expect(handled).toBeGreaterThan(0)
    expect(handled).toBeLessThan(50)
    clock.advance(1000)
    clock.advance(5000)
    await until(() => server.connections === 0)
  })

  test('is not harmed by mutated requests, and other clients never notice', async () => {
    const { port } = await serve({ ...echoGroups, Metadata: () => ({ brokers: [], topics: [] }), Produce: () => ({ responses: [] }) }, { limits: { maxRequestBytes: 10_000 } })
    const channel = await connect(port)
    const messages = everyMessage().filter(({ description }) => description.name.endsWith('Request'))
    const anyRequest = fc.nat(messages.length - 1).chain(index => {
      const { description, version } = messages[index]!
      const api = description.name.slice(0, -'Request'.length) as ApiName
      return arbitraryBody(description, version).map(body => Buffer.concat(encodeRequest(api, version, { correlationId: 1, clientId: 'fuzz' }, body as never)))
    })
    const mutations = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), { minLength: 1, maxLength: 4 })
    await expect(fc.assert(fc.asyncProperty(anyRequest, mutations, fc.boolean(), async (bytes, changes, cut) => {
      for (const { at, byte } of changes) bytes[at % bytes.length] = byte
      const socket = await openSocket(port)
      socket.on('error', () => {})
      socket.end(cut ? bytes.subarray(0, changes[0]!.at % bytes.length) : bytes)
      await readAll(socket).catch(() => null)
      const { groups } = await channel.request('DescribeGroups', { groups: ['g'] })
      return groups[0]?.groupId === 'g'
    }), { numRuns: 300 })).resolves.toBeUndefined()
  })

  test('says so where the port is taken', async () => {
    const { port } = await serve({})
    await expect(serve({}, { port })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' })
  })
})
