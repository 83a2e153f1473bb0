// Apache Kafka's kafka-dump-log reads our log files: segments, indexes, and what the coordinators keep.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { javaArguments } from './apache-kafka.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { kcat } from './kcat.ts'
import { runProgram } from './program.ts'

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const recordsEach = 1_000

let broker: FileBroker
beforeAll(async () => {
  broker = await startFileBroker({ 'log.segment.bytes': 40_000, 'log.index.interval.bytes': 1_024 })
  for (const compression of compressions) {
    const lines = Array.from({ length: recordsEach }, (_, i) => `key-${i % 20}=${compression} ${i} ${'y'.repeat(i % 100)}`)
    await kcat(broker.bootstrap, ['-P', '-t', 'dumped', '-p', '0', '-K', '=', '-z', compression, '-X', 'batch.num.messages=20'], lines.join('\n'))
  }
  await kcat(broker.bootstrap, ['-P', '-t', 'dumped', '-p', '0', '-X', 'transactional.id=dumped-transaction'], 'in a transaction\n')
  await kcat(broker.bootstrap, ['-q', '-e', '-X', 'auto.offset.reset=earliest', '-G', 'dumped-group', 'dumped'])
  await broker.stop()
})
afterAll(() => broker?.[Symbol.asyncDispose]())

/** What the tool prints of all files of a partition. */
async function dump(partition: string, ...args: readonly string[]): Promise<{ readonly files: readonly string[]; readonly lines: readonly string[] }> {
  const folder = join(broker.dataDirectory, partition)
  const files = readdirSync(folder).filter(name => /\.(log|index|timeindex|txnindex)$/.test(name)).sort()
  const output = await runProgram('java', [...javaArguments('org.apache.kafka.tools.DumpLogSegments'), '--files', files.map(name => join(folder, name)).join(','), ...args])
  return { files, lines: output.toString().split('\n') }
}

test('every record of every segment, and no index that misleads', async () => {
  const { files, lines } = await dump('dumped-0', '--deep-iteration', '--print-data-log')
  expect(files.filter(name => name.endsWith('.log')).length).toBeGreaterThan(3)
  expect(files.filter(name => name.endsWith('.timeindex'))).toHaveLength(files.filter(name => name.endsWith('.log')).length)
  expect(lines.filter(line => /mismatch|out of order|corrupt|error|isvalid: false|invalid bytes/i.test(line))).toEqual([])
  const records = lines.filter(line => line.startsWith('| offset: ') && !line.includes('endTxnMarker'))
  expect(records.map(line => Number(/offset: (\d+)/.exec(line)![1]))).toEqual(Array.from({ length: compressions.length * recordsEach + 1 }, (_, i) => i))
  compressions.forEach((compression, i) => expect(records[i * recordsEach + 7]).toContain(`key: key-7 payload: ${compression} 7 yyyyyyy`))
  expect(lines.filter(line => line.includes('endTxnMarker: COMMIT'))).toHaveLength(1)
  // The indexes were looked into.
  expect(lines.filter(line => /^offset: \d+ position: \d+$/.test(line)).length).toBeGreaterThan(20)
  expect(lines.filter(line => /^timestamp: \d+ offset: \d+$/.test(line)).length).toBeGreaterThan(5)
})

test('what the coordinator of groups keeps', async () => {
  const { lines } = await dump('__consumer_offsets-0', '--offsets-decoder')
  const text = lines.join('\n')
  expect(text).toMatch(/"group":"dumped-group","topic":"dumped","partition":0/)
  expect(text).toMatch(new RegExp(`"offset":${compressions.length * recordsEach + 2},`))
  expect(text).toMatch(/"protocolType":"consumer","generation":1,"protocol":"range"/)
})

test('what the coordinator of transactions keeps', async () => {
  const { lines } = await dump('__transaction_state-0', '--transaction-log-decoder')
  const states = lines.flatMap(line => /"transactionalId":"dumped-transaction".*?"transactionStatus":(\d)/.exec(line)?.[1] ?? [])
  // Empty, Ongoing, PrepareCommit, CompleteCommit.
  expect(states).toEqual(['0', '1', '2', '4'])
})
