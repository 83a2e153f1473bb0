// A broker that is killed, or told to end, while a client writes to it: nothing acknowledged is lost, nothing is there twice, and the order holds.

import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connectLog } from '../../broker/client/connect-log.ts'
import { partitionName } from '../../core/record.ts'
import { seededRandom, systemRandom } from '../../core/random.ts'
import { startMillrace, type RunningCommand } from '../cli/command.ts'

const partitions = 2
const kills = process.env['MILLRACE_NIGHTLY'] === undefined ? 4 : 50

async function start(data: string, port: number): Promise<{ readonly running: RunningCommand; readonly port: number }> {
  const running = startMillrace(['broker', '--listen', `127.0.0.1:${port}`, '--data', data])
  const [, at] = await running.until('stdout', /^127\.0\.0\.1:(\d+)\n/)
  return { running, port: Number(at) }
}

test('an idempotent producer writes through kills and clean ends', { timeout: 120_000 }, async () => {
  const seed = Number(process.env['MILLRACE_SEED'] ?? systemRandom.uint32())
  const random = seededRandom(seed)
  const data = mkdtempSync(join(tmpdir(), 'millrace-broker-kill-'))
  const first = await start(data, 0)
  const { port } = first
  let { running } = first
  const log = await connectLog({ bootstrap: `127.0.0.1:${port}` })
  await log.admin.createTopics([{ name: 't', partitions }])
  const producer = await log.producer({ batchBytes: 2000, lingerMs: 0 })
  let written = 0
  const write = (records: number): void => {
    for (let i = 0; i < records; i++, written++) producer.appender('t', written % partitions).append(null, Buffer.from(String(written)), 1_795_508_113_211)
  }
  for (let kill = 0; kill < kills; kill++) {
    write(500 + random.uint32() % 2000)
    const flushed = producer.flush()
    // Some of it is under way, some is acknowledged: how much is left to chance.
    for (let turns = random.uint32() % 200; turns > 0; turns--) await setImmediate()
    running.child.kill(random.uint32() % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
    const { status, signal, stderr } = await running.ended
    expect(status === 0 || signal === 'SIGKILL', `seed ${seed}: ${stderr}`).toBe(true)
    ;({ running } = await start(data, port))
    await flushed
  }
  await producer.close()
  const reader = log.reader()
  const ends = await log.admin.listOffsets(Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition })), 'latest')
  reader.assign(Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition, offset: 0 })))
  const read: number[][] = Array.from({ length: partitions }, () => [])
  while (read.some((values, partition) => values.length < ends.get(partitionName('t', partition))!)) {
    for (const { partition, cursor } of await reader.poll(1000)) {
      while (cursor.next()) read[partition]!.push(Number(cursor.buffer.toString('latin1', cursor.valueStart, cursor.valueEnd)))
    }
  }
  await reader.close()
  await log.close()
  running.child.kill('SIGTERM')
  await running.ended
  await rm(data, { recursive: true })
  read.forEach((values, partition) => expect(values, `seed ${seed}`).toEqual(Array.from({ length: Math.ceil((written - partition) / partitions) }, (_, i) => i * partitions + partition)))
})
