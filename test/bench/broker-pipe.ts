// How fast an embedded broker takes and gives records over its pipe, and how long one acknowledged produce takes.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { startBroker, type BrokerOptions } from '../../broker/server/start-broker.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { RecordBatchWriter } from '../../broker/wire/record-batch-writer.ts'

const totalBytes = 512 << 20
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-pipe-'))
try {
  await measure('files, fsync', { dataDirectory: join(directory, 'fsync') })
  await measure('files, os', { dataDirectory: join(directory, 'os'), flush: 'os' })
  await measure('memory', { memory: true })
} finally {
  rmSync(directory, { recursive: true })
}

async function measure(what: string, options: BrokerOptions): Promise<void> {
  const started = systemClock.monotonic()
  await using broker = await startBroker(options)
  say(what, `start ${(systemClock.monotonic() - started).toFixed(1)} ms`)
  const channel = broker.connect()
  await channel.request('Metadata', { topics: [{ name: 't' }, { name: 'small' }] })
  const large = batchOf(256 * 1024)
  await timed(what, 'produce 256 KiB, 5 under way', totalBytes, async () => {
    const underWay = new Set<Promise<unknown>>()
    for (let bytes = 0; bytes < totalBytes; bytes += large.length) {
      const sent: Promise<unknown> = produce(channel, 't', large).finally(() => underWay.delete(sent))
      underWay.add(sent)
      if (underWay.size >= 5) await Promise.race(underWay)
    }
    await Promise.all(underWay)
  })
  await timed(what, 'fetch 1 MiB', totalBytes, () => fetchAll(channel, 1 << 20))
  const small = batchOf(200)
  const start = systemClock.monotonic()
  for (let i = 0; i < 2000; i++) await produce(channel, 'small', small)
  say(what, `one small produce after the other: ${(((systemClock.monotonic() - start) * 1000) / 2000).toFixed(0)} µs`)
}

function produce(channel: Channel, name: string, records: Buffer): Promise<unknown> {
  return channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name, partitionData: [{ index: 0, records }] }] }, { version: 11 })
}

async function fetchAll(channel: Channel, partitionMaxBytes: number): Promise<void> {
  for (let fetchOffset = 0; ; ) {
    const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes }] }]
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics, isolationLevel: 0 }, { version: 11 })
    const { records } = responses[0]!.partitions[0]!
    if (records === null || records.length === 0) return
    fetchOffset += perBatch * Math.round(records.length / large256)
  }
}

let perBatch = 0
let large256 = 0

function batchOf(bytes: number): Buffer {
  const writer = new RecordBatchWriter(bytes + 1000)
  const value = Buffer.alloc(100, 7)
  while (writer.size < bytes) writer.append(null, value, systemClock.now())
  const { count } = writer
  const batch = Buffer.from(writer.close())
  if (bytes > 1000) [perBatch, large256] = [count, batch.length]
  return batch
}

async function timed(what: string, which: string, bytes: number, action: () => Promise<void>): Promise<void> {
  const start = systemClock.monotonic()
  const cpu = process.cpuUsage()
  await action()
  const seconds = (systemClock.monotonic() - start) / 1000
  const used = process.cpuUsage(cpu)
  say(what, `${which}: ${(bytes / seconds / 1e6).toFixed(0)} MB/s, ${((used.user + used.system) / 1e6 / (bytes / 1e9)).toFixed(2)} CPU s/GB`)
}

function say(what: string, result: string): void {
  process.stdout.write(`${what}: ${result}\n`)
}
