// A run that is stopped, killed, piped and repeated: every line of its files is fed once, and counted once.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seededRandom, systemRandom } from '../../core/random.ts'
import { millrace, parseLines, startMillrace, temporaryDirectory } from './command.ts'

interface Result {
  readonly key: string
  readonly value: number
}

const SCRIPT = `import { StreamsBuilder, serdes } from 'millrace'
const builder = new StreamsBuilder()
builder.stream('words', { key: serdes.string, value: serdes.json<{ n: number }>() })
  .groupByKey().count({ store: 'counts' }).toStream().to('counts', { value: serdes.int64 })
export default builder.build()
`
const KEYS = 50

/** A script that counts by key, a file of so many lines to feed to it, and the arguments that run them. */
function counting(lines: number): { readonly directory: string; readonly run: readonly string[]; readonly data: string; readonly append: (more: number) => void } {
  const directory = temporaryDirectory()
  const data = join(directory, 'data')
  const input = join(directory, 'words.ndjson')
  let written = 0
  const append = (more: number): void => {
    const text = Array.from({ length: more }, (_, i) => `${JSON.stringify({ word: `w${(written + i) % KEYS}`, n: written + i, at: written + i })}\n`).join('')
    writeFileSync(input, text, { flag: 'a' })
    written += more
  }
  append(lines)
  writeFileSync(join(directory, 'count.ts'), SCRIPT)
  return { directory, data, append, run: ['run', join(directory, 'count.ts'), '--data', data, '--input', `words=${input},key=word,timestamp=at`] }
}

async function finished(args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await millrace(args, input)
  expect(status, stderr).toBe(0)
  return stdout
}

/** What the log holds in the end: the records fed, and the last count of each key. A crash may count a record again, but loses none. */
async function expectCounted(data: string, lines: number, crashed = false): Promise<void> {
  const fed = parseLines<{ value: { n: number } }>(await finished(['consume', 'words', '--data', data, '--from-beginning', '--until-end']))
  expect(fed.map(({ value }) => value.n).sort((a, b) => a - b)).toEqual(Array.from({ length: lines }, (_, n) => n))
  const counts = parseLines<Result>(await finished(['consume', 'counts', '--data', data, '--from-beginning', '--until-end', '--value-serde', 'int64']))
  const last = new Map(counts.map(({ key, value }) => [key, value]))
  for (let i = 0; i < KEYS; i++) {
    const exact = Math.ceil((lines - i) / KEYS)
    if (crashed) expect(last.get(`w${i}`)).toBeGreaterThanOrEqual(exact)
    else expect(last.get(`w${i}`)).toBe(exact)
  }
}

test('what was added to a file is all that the next run feeds', async () => {
  const { run, data, append } = counting(1000)
  await finished([...run, '--until-idle'])
  append(1)
  expect(parseLines<Result>(await finished([...run, '--until-idle']))).toMatchObject([{ key: 'w0', value: 21 }])
  await expectCounted(data, 1001)
})

test('killed at any moment, a run loses nothing and feeds nothing twice', async () => {
  const seed = Number(process.env['MILLRACE_SEED'] ?? systemRandom.uint32())
  const random = seededRandom(seed)
  const kills = process.env['MILLRACE_NIGHTLY'] === undefined ? 3 : 50
  const lines = 20_000
  const { run, data } = counting(lines)
  for (let i = 0; i < kills; i++) {
    const running = startMillrace([...run, '--until-idle'])
    const bytes = random.uint32() % 5000
    await running.until('stdout', new RegExp(`^[^]{${bytes}}`)).catch(() => undefined) // It may have come to its end before.
    running.child.kill('SIGKILL')
    await running.ended
  }
  await finished([...run, '--until-idle'])
  await expectCounted(data, lines, true).catch((error: unknown) => {
    throw new Error(`with MILLRACE_SEED=${seed}`, { cause: error })
  })
})

test('Ctrl-C commits and closes; the next run goes on', async () => {
  const { run, data } = counting(5000)
  const running = startMillrace(run)
  await running.until('stdout', /"key":"w49"/)
  running.child.kill('SIGINT')
  const { status, stderr } = await running.ended
  expect(status, stderr).toBe(0)
  expect(stderr).toContain('committing and closing; Ctrl-C again leaves at once')
  await finished([...run, '--until-idle'])
  await expectCounted(data, 5000)
})

test('an output file holds each result once, also when a run was killed', async () => {
  const { run, directory, data } = counting(5000)
  const out = join(directory, 'counts.ndjson')
  const running = startMillrace([...run, '--output', `counts=${out}`, '--output', 'counts'].slice(0, -2))
  await running.until('stderr', /runs on/)
  running.child.kill('SIGKILL')
  await running.ended
  await finished([...run, '--output', `counts=${out}`, '--until-idle'])
  const topic = parseLines<Result>(await finished(['consume', 'counts', '--data', data, '--from-beginning', '--until-end', '--value-serde', 'int64']))
  const pairs = (results: readonly Result[]): string[] => results.map(({ key, value }) => `${key}=${value}`).sort()
  expect(pairs(parseLines<Result>(readFileSync(out, 'utf8')))).toEqual(pairs(topic))
})

test('standard input is fed while it comes', async () => {
  const directory = temporaryDirectory()
  const running = startMillrace(['run', 'examples/word-count.ts', '--data', directory, '--input', 'sentences=-'])
  running.child.stdin!.write('one two\n')
  await running.until('stdout', /"key":"two","value":1/)
  running.child.stdin!.write('two\n')
  await running.until('stdout', /"key":"two","value":2/)
  running.child.kill('SIGTERM')
  expect((await running.ended).status).toBe(0)
})

test('a run that listens serves its topics to other clients', async () => {
  const running = startMillrace(['run', 'examples/word-count.ts', '--data', temporaryDirectory(), '--no-input', '--listen', '127.0.0.1:0'])
  const bootstrap = (await running.until('stderr', /the log listens at (127\.0\.0\.1:\d+)\n/))[1]!
  await finished(['produce', 'sentences', '--bootstrap', bootstrap, '--format', 'text'], 'to be or not to be\n')
  await running.until('stdout', /"key":"be","value":2/)
  running.child.kill('SIGTERM')
  expect((await running.ended).status).toBe(0)
})

test('a reader that leaves ends the run without a word', async () => {
  const running = startMillrace(['run', 'examples/word-count.ts', '--data', temporaryDirectory(), '--input', 'sentences=-'])
  running.child.stdin!.write('one two\n')
  await running.until('stdout', /"two"/)
  running.child.stdout!.destroy()
  running.child.stdin!.write('three\n')
  const { status, stderr } = await running.ended
  expect(status).toBe(0)
  expect(stderr).not.toMatch(/EPIPE/)
})

test.each([
  [['--input', 'wrods=x.txt'], 2, 'The topology does not read the topic wrods.\n  → Did you mean words?'],
  [['--input', 'words=nowhere.ndjson'], 1, 'nowhere.ndjson cannot be read: ENOENT'],
  [['--input', 'words'], 2, '--input words does not say which file feeds which topic.'],
  [['--key', 'letters=x'], 2, '--key letters=x is for a topic that no file feeds.'],
  [['--partitions', '0'], 2, '--partitions is 0, which is no whole number of at least 1.'],
])('%j ends with status %i and says why', async (more, status, message) => {
  const { directory, data } = counting(1)
  const result = await millrace(['run', join(directory, 'count.ts'), '--data', data, '--until-idle', ...more])
  expect(result.status).toBe(status)
  expect(result.stderr).toContain(message)
})

test('a bad line is named by file and line, what came before it is kept', async () => {
  const { directory, data } = counting(0)
  const file = join(directory, 'bad.ndjson')
  writeFileSync(file, '{"word":"a","n":0}\nnot json\n')
  const args = ['run', join(directory, 'count.ts'), '--data', data, '--until-idle', '--input', `words=${file},key=word`]
  const result = await millrace(args)
  expect(result.status).toBe(1)
  expect(result.stderr).toContain(`${file}:2 is not JSON: "not json".`)
})

test('a data directory has one process at a time', async () => {
  const { run, data } = counting(10)
  const running = startMillrace(run)
  await running.until('stdout', /"key"/)
  const second = await millrace(['topics', 'list', '--data', data])
  expect(second.status).toBe(1)
  expect(second.stderr).toContain(String(running.child.pid))
})

test("a user's function that throws is named with its record and line", async () => {
  const directory = temporaryDirectory()
  const script = join(directory, 'throws.ts')
  writeFileSync(script, "import { StreamsBuilder, serdes } from 'millrace'\nconst builder = new StreamsBuilder()\nbuilder.stream('in', { key: serdes.string, value: serdes.string })\n  .mapValues(v => v.repeat(-1))\n  .to('out', { value: serdes.string })\nexport default builder.build()\n")
  writeFileSync(join(directory, 'in.txt'), 'hello\n')
  const result = await millrace(['run', script, '--data', join(directory, 'data'), '--input', `in=${join(directory, 'in.txt')}`, '--until-idle'])
  expect(result.status).toBe(1)
  expect(result.stderr).toMatch(/throws\.ts:4/)
  expect(result.stderr).toMatch(/RangeError: Invalid count value: -1/)
})
