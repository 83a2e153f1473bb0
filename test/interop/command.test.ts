// The command `millrace broker` as a person starts it, with kcat as its client: what was acknowledged is there after SIGTERM and after SIGKILL; with zstd where Node has it.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { kcat, kcatConsume, kcatConsumeGroup } from './kcat.ts'
import { npmClients } from './npm-clients.ts'
import { startProgram, type RunningProgram } from './program.ts'

const main = join(import.meta.dirname, '../../dist/cli/main.js')
const lines = (from: number, to: number): readonly string[] => Array.from({ length: to - from }, (_, i) => `key-${(from + i) % 20}=value ${from + i}`)

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'millrace-command-'))
})
afterEach(() => rm(data, { recursive: true, force: true }))

interface Started extends AsyncDisposable {
  readonly bootstrap: string
  readonly program: RunningProgram
}

async function start(node = process.execPath, ...settings: readonly string[]): Promise<Started> {
  const program = startProgram(node, [main, 'broker', '--listen', '127.0.0.1:0', '--data', data, ...settings.flatMap(setting => ['--set', setting])], { timeoutMs: 170_000, hint: 'Build it first: npm run build.' })
  const [bootstrap] = await program.until(/^127\.0\.0\.1:\d+$/m)
  return { bootstrap, program, [Symbol.asyncDispose]: () => program.stop() }
}

async function write(bootstrap: string, topic: string, what: readonly string[], ...args: readonly string[]): Promise<void> {
  await kcat(bootstrap, ['-P', '-t', topic, '-K', '=', '-X', 'acks=all', ...args], what.join('\n'))
}

async function values(bootstrap: string, topic: string): Promise<readonly string[]> {
  return (await kcatConsume(bootstrap, topic)).map(({ key, payload }) => `${key}=${payload}`).sort()
}

test('records, topics and groups outlive SIGTERM', async () => {
  {
    await using broker = await start(process.execPath, 'num.partitions=3')
    await write(broker.bootstrap, 't', lines(0, 1_000))
    expect(await kcatConsumeGroup(broker.bootstrap, 'g', 't')).toHaveLength(1_000)
  }
  await using broker = await start()
  await write(broker.bootstrap, 't', lines(1_000, 1_500))
  expect(await values(broker.bootstrap, 't')).toEqual([...lines(0, 1_500)].sort())
  const more = await kcatConsumeGroup(broker.bootstrap, 'g', 't')
  expect(more.map(({ key, payload }) => `${key}=${payload}`).sort()).toEqual([...lines(1_000, 1_500)].sort())
})

test('what was acknowledged outlives SIGKILL', async () => {
  for (let life = 0; life < 3; life++) {
    const broker = await start()
    if (life > 0) expect(await values(broker.bootstrap, 't')).toEqual([...lines(0, life * 500)].sort())
    await write(broker.bootstrap, 't', lines(life * 500, life * 500 + 500))
    await broker.program.kill()
  }
  await using broker = await start()
  expect(await values(broker.bootstrap, 't')).toEqual([...lines(0, 1_500)].sort())
})

test('zstd: compressed again as topics say, and looked into for a time', async () => {
  const name = `node-linux-${process.arch}`
  const node = join(await npmClients([`${name}@22.23.3`]), 'node_modules', name, 'bin', 'node')
  await using broker = await start(node, 'compression.type=zstd')
  await write(broker.bootstrap, 'from-lz4', lines(0, 1_000), '-z', 'lz4')
  await write(broker.bootstrap, 'from-zstd', lines(0, 1_000), '-z', 'zstd')
  expect(await values(broker.bootstrap, 'from-lz4')).toEqual([...lines(0, 1_000)].sort())
  const read = await kcatConsume(broker.bootstrap, 'from-zstd')
  expect(read.map(({ key, payload }) => `${key}=${payload}`).sort()).toEqual([...lines(0, 1_000)].sort())
  const last = read.at(-1)!
  const first = read.find(({ ts }) => ts === last.ts)!
  expect((await kcat(broker.bootstrap, ['-Q', '-t', `from-zstd:0:${last.ts}`])).toString()).toContain(`offset ${first.offset}`)
})
