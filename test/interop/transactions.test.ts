// Transactions of clients in other languages on a Millrace broker on files: librdkafka by Python and by kcat, kafkajs, @platformatic/kafka.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { kcat } from './kcat.ts'
import { npmClients } from './npm-clients.ts'
import { runProgram } from './program.ts'

const PYTHON = '/usr/bin/python3'

let broker: FileBroker
beforeAll(async () => {
  broker = await startFileBroker({ 'transaction.state.log.num.partitions': 5, 'offsets.topic.num.partitions': 5 })
})
afterAll(() => broker?.[Symbol.asyncDispose]())

test('confluent-kafka commits, aborts, is fenced, and copies exactly once', async () => {
  const hint = 'Install Python and its client (Debian: apt-get install python3-confluent-kafka).'
  const told = linesOf(await runProgram(PYTHON, ['-B', program('confluent-transactions.py'), broker.bootstrap, 'confluent'], { hint }))
  const all = Array.from({ length: 30 }, (_, i) => `${Math.floor(i / 5)}.${i % 5}`)
  expect(told).toEqual([
    { step: 'create' },
    { step: 'commitAndAbort', committed: all.filter(value => !/^[25]/.test(value)), all },
    { step: 'openTransaction', before: false, after: true },
    { step: 'fencing', failure: { fatal: true, code: '_FENCED' }, zombie: false, heir: true },
    { step: 'consumeAndProduce', sink: Array.from({ length: 60 }, (_, i) => 2 * i), committed: [20, 20, 20] },
  ])
})

test('kcat writes its input in one transaction', async () => {
  await kcat(broker.bootstrap, ['-P', '-t', 'kcat', '-K', '=', '-X', 'transactional.id=kcat'], 'a=1\nb=2\n')
  expect((await kcat(broker.bootstrap, ['-C', '-q', '-e', '-t', 'kcat', '-X', 'isolation.level=read_committed', '-f', '%k=%s@%o\n'])).toString()).toBe('a=1@0\nb=2@1\n')
})

describe.each(['kafkajs', '@platformatic/kafka'])('%s', client => {
  test('commits, aborts, and commits offsets', async () => {
    const MODULES = await npmClients(['kafkajs@2.2.4', '@platformatic/kafka@1.35.0'])
    const name = client.replace(/^@|\/.*$/g, '')
    const told = linesOf(await runProgram(process.execPath, ['--no-warnings', program(`${name}-transactions.mjs`), broker.bootstrap, name], { env: { MODULES } }))
    expect(told).toEqual([
      { step: 'create' },
      { step: 'commitAndAbort', values: ['a', 'b', 'c', 'last'] },
      { step: 'offsets', values: ['last'], offsets: [-1, 2] },
    ])
  })
})

function program(file: string): string {
  return join(import.meta.dirname, 'clients', file)
}

function linesOf(output: Buffer): readonly unknown[] {
  return output.toString().split('\n').filter(text => text.startsWith('{')).map(text => JSON.parse(text) as unknown)
}
