// `millrace broker` as a process: what it says, what it serves, and how it ends.

import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import { encodeRequest } from '../../broker/wire/frame.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { systemClock } from '../../core/clock.ts'
import { batchOf } from '../broker/log/batches.ts'
import { parseExposition } from '../core/exposition.ts'
import { millrace, parseLines, startMillrace, temporaryDirectory, type RunningCommand } from './command.ts'

interface Line {
  readonly time: string
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

interface RunningBroker extends RunningCommand {
  readonly port: number
  readonly channel: Channel
  lines(): Line[]
}

async function start(data: string, ...args: string[]): Promise<RunningBroker> {
  const running = startMillrace(['broker', '--listen', '127.0.0.1:0', '--data', data, ...args])
  const port = Number((await running.until('stdout', /^127\.0\.0\.1:(\d+)\n/))[1])
  const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, clientId: 'test' })
  return { ...running, port, channel, lines: () => parseLines<Line>(running.stderr()) }
}

const fetchRequest = (maxWaitMs: number, maxBytes = 1e6) => ({
  maxWaitMs, minBytes: 1, maxBytes, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
  topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: maxBytes }] }],
})

async function produce(channel: Channel, records: Buffer): Promise<number> {
  const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  return responses[0]!.partitionResponses[0]!.errorCode
}

test('SIGTERM ends it cleanly, waits of clients included; the next start finds all and has nothing to recover', async () => {
  const data = temporaryDirectory()
  const first = await start(data)
  await first.channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
  const polling = first.channel.request('Fetch', fetchRequest(600_000), { version: 11 })
  const other = await connectTcpChannel({ host: '127.0.0.1', port: first.port, clock: systemClock, clientId: 'test' })
  expect(await produce(other, batchOf([{ key: 'k', value: 'v', timestamp: 1 }]))).toBe(0)
  await polling
  const waiting = first.channel.request('Fetch', { ...fetchRequest(600_000), minBytes: 1e6 }, { version: 11 })
  first.child.kill('SIGTERM')
  await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  expect(await first.ended).toMatchObject({ status: 0, signal: null, stdout: `127.0.0.1:${first.port}\n` })
  const messages = first.lines().map(({ message }) => message)
  expect(messages).toEqual(['broker started', 'topic created', 'broker closing', 'broker closed'])
  expect(first.lines()[0]).toMatchObject({ level: 'info', listen: `127.0.0.1:${first.port}`, directory: join(data, 'log'), nodeId: 1, topics: 0, partitions: 0, recoveredLogs: 0 })

  const second = await start(data)
  expect(second.lines()[0]).toMatchObject({ message: 'broker started', clusterId: first.lines()[0]!['clusterId'], topics: 1, partitions: 1, recoveredLogs: 0 })
  const { responses } = await second.channel.request('Fetch', fetchRequest(0), { version: 11 })
  expect(responses[0]!.partitions[0]!.highWatermark).toBe(1)
  second.child.kill('SIGINT')
  expect(await second.ended).toMatchObject({ status: 0 })
})

test('after SIGKILL the next start says that a log was recovered', async () => {
  const data = temporaryDirectory()
  const first = await start(data)
  await first.channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
  await produce(first.channel, batchOf([{ key: 'k', value: 'v', timestamp: 1 }]))
  first.child.kill('SIGKILL')
  await first.ended
  const second = await start(data, '--metrics', '0')
  const started = second.lines()[0]!
  expect(started['recoveredLogs']).toBeGreaterThan(0)
  const text = await (await fetch(`http://${String(started['metrics'])}/metrics`)).text()
  expect(parseExposition(text).get('millrace_log_end_offset')!.samples).toEqual([{ name: 'millrace_log_end_offset', labels: { topic: 't', partition: '0' }, value: 1 }])
  second.child.kill('SIGTERM')
  await second.ended
})

test('a second signal ends it at once, though a client does not take its answer', async () => {
  const running = await start(temporaryDirectory(), '--log-format', 'text')
  await running.channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
  const batch = batchOf([{ key: 'k', value: 'v'.repeat(900_000), timestamp: 1 }])
  for (let i = 0; i < 40; i++) expect(await produce(running.channel, Buffer.from(batch))).toBe(0)
  const socket = connect(running.port, '127.0.0.1')
  socket.pause()
  socket.on('error', () => {}) // It is cut off in the end.
  await new Promise(resolve => socket.write(Buffer.concat(encodeRequest('Fetch', 11, { correlationId: 1, clientId: 'slow' }, fetchRequest(0, 40e6))), resolve))
  // Its answer is under way when one to a later request has come on another connection.
  await running.channel.request('Fetch', fetchRequest(0), { version: 11 })
  running.child.kill('SIGTERM')
  await running.until('stderr', / info {2}broker closing /)
  running.child.kill('SIGTERM')
  expect(await running.ended).toMatchObject({ status: 143 })
  socket.destroy()
})

test.runIf(existsSync('/proc/self'))('below /proc there is no data directory, which it says', async () => {
  const { status, stderr } = await millrace(['broker', '--listen', '127.0.0.1:0', '--data', '/proc/millrace/data'])
  expect([status, stderr]).toEqual([1, expect.stringMatching(/Could not create \/proc\/millrace\/data\S* \(ENOENT\)[^]*use another one/)])
})
