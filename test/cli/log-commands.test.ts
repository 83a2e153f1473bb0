// The log by hand: topics, produce and consume on a data directory, as a person types them.

import { expect, test } from 'vitest'
import { millrace, parseLines, temporaryDirectory } from './command.ts'

interface Consumed {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly value: unknown
  readonly headers?: unknown
}

/** Runs a command on the directory and expects it to end well; gives standard output. */
async function on(directory: string, args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await millrace([...args, '--data', directory], input)
  expect(status, stderr).toBe(0)
  return stdout
}

test('topics are created, listed, described and deleted', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'b', 'a', '--partitions', '2', '--config', 'retention.ms=-1'])
  expect(await on(data, ['topics', 'list'])).toBe('a\nb\n')
  expect(await on(data, ['topics', 'describe', 'a'])).toBe(['topic  partition  begin  end  offsets  leader  replicas  in sync', 'a              0      0    0        0       1  1         1', 'a              1      0    0        0       1  1         1', ''].join('\n'))
  await on(data, ['topics', 'delete', 'a'])
  expect(await on(data, ['topics', 'list'])).toBe('b\n')
})

test('keys, values, headers, timestamps and partitions go in and come out', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'events', '--partitions', '3'])
  const records = [
    { key: 'ada', value: { n: 1 }, timestamp: 1000, headers: [['trace', 'x'], ['trace', { base64: '/w==' }], ['none', null]], partition: 2 },
    { key: null, value: 'plain text', timestamp: 2000, partition: 2 },
    { key: { base64: '/wA=' }, value: null, timestamp: 3000, partition: 2 },
  ]
  await on(data, ['produce', 'events'], records.map(record => JSON.stringify(record)).join('\n'))
  const out = parseLines<Consumed>(await on(data, ['consume', 'events', '--from-beginning', '--until-end']))
  expect(out).toEqual(records.map((record, offset) => ({ topic: 'events', offset, ...record })))
})

test('text goes in and comes out, with keys where a separator says so', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'pairs', '--partitions', '1'])
  await on(data, ['produce', 'pairs', '--format', 'text', '--key-separator', ':', '--value-serde', 'int64'], 'a:1\nb:2\na:3\n')
  const read = ['consume', 'pairs', '--format', 'text', '--from-beginning', '--until-end', '--value-serde', 'int64']
  expect(await on(data, read)).toBe('1\n2\n3\n')
  expect(await on(data, [...read, '--key-separator', '='])).toBe('a=1\nb=2\na=3\n')
})

test('text that is not what its serde writes is told with its line', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'counts', '--partitions', '1'])
  const result = await millrace(['produce', 'counts', '--format', 'text', '--value-serde', 'int64', '--data', data], '1\nabc\n')
  expect(result).toMatchObject({ status: 1, stdout: '' })
  expect(result.stderr).toContain('Line 2 of standard input has "abc", which is no int64.')
})

test('reading may begin and end where one likes', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'numbers', '--partitions', '1'])
  await on(data, ['produce', 'numbers', '--format', 'text'], '0\n1\n2\n3\n4\n')
  const read = ['consume', 'numbers', '--format', 'text', '--until-end']
  expect(await on(data, read)).toBe('')
  expect(await on(data, [...read, '--offset', '3'])).toBe('3\n4\n')
  expect(await on(data, [...read, '--offset', '-2'])).toBe('3\n4\n')
  expect(await on(data, [...read, '--from-beginning', '--max', '2'])).toBe('0\n1\n')
})

test('reading begins at a time, or so long ago', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'days', '--partitions', '1'])
  await on(data, ['produce', 'days'], ['2026-01-30', '2026-01-31', '2026-02-01'].map(timestamp => JSON.stringify({ value: timestamp, timestamp })).join('\n'))
  await on(data, ['produce', 'days', '--format', 'text'], 'now\n')
  const read = ['consume', 'days', '--format', 'text', '--until-end', '--from']
  expect(await on(data, [...read, '2026-01-31T00:00:01Z'])).toBe('2026-02-01\nnow\n')
  expect(await on(data, [...read, '1h'])).toBe('now\n')
  expect(await on(data, [...read, '2999-01-01'])).toBe('')
})

test('every record gets the headers that are asked for', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'events', '--partitions', '1'])
  await on(data, ['produce', 'events', '--header', 'source=shell', '--header', 'empty='], '{"value":"a","headers":[["own","1"]]}\n{"value":"b"}\n')
  const out = parseLines<Consumed>(await on(data, ['consume', 'events', '--from-beginning', '--until-end']))
  expect(out.map(({ headers }) => headers)).toEqual([[['own', '1'], ['source', 'shell'], ['empty', '']], [['source', 'shell'], ['empty', '']]])
})

test('topics may be there already, or gone', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'a'])
  expect(await millrace(['topics', 'create', 'a', '--data', data])).toMatchObject({ status: 1, stderr: expect.stringContaining('--if-not-exists') as string })
  await on(data, ['topics', 'create', 'a', 'b', '--if-not-exists'])
  expect(await on(data, ['topics', 'describe'])).toMatch(/^topic .*\na .*\nb .*\n$/)
  await on(data, ['topics', 'delete', 'a', 'c', '--if-exists'])
  expect(await on(data, ['topics', 'list'])).toBe('b\n')
})

test('a group goes on where it was', async () => {
  const data = temporaryDirectory()
  await on(data, ['topics', 'create', 'jobs', '--partitions', '2'])
  const read = ['consume', 'jobs', '--format', 'text', '--group', 'workers', '--from-beginning', '--until-end']
  await on(data, ['produce', 'jobs', '--format', 'text'], 'one\ntwo\nthree\n')
  expect((await on(data, read)).split('\n').sort()).toEqual(['', 'one', 'three', 'two'])
  expect(await on(data, read)).toBe('')
  await on(data, ['produce', 'jobs', '--format', 'text'], 'four\n')
  expect(await on(data, read)).toBe('four\n')
})

test.each([
  [['consume', 'nothing'], 1, 'There is no topic nothing.'],
  [['produce', 'nothing'], 1, 'There is no topic nothing.'],
  [['topics', 'delete', 'nothing'], 1, 'There is no topic nothing.'],
  [['topics'], 2, 'Usage: millrace topics'],
  [['topics', 'create', 'x', '--partitions', 'many'], 2, '--partitions is many, which is no whole number'],
  [['consume', 'x', '--value-serde', 'xml'], 2, 'There is no serde xml.'],
  [['consume'], 2, "missing required argument 'topic'"],
  [['brocker'], 2, 'Did you mean broker?'],
])('%j ends with status %i and says so', async (args, status, message) => {
  const result = await millrace(args.length === 1 && args[0] !== 'consume' ? args : [...args, '--data', temporaryDirectory()])
  expect(result).toMatchObject({ status, stdout: '' })
  expect(result.stderr).toContain(message)
})

test('help and version are answers, not failures', async () => {
  for (const args of [['--help'], ['run', '--help'], ['--version']]) expect(await millrace(args)).toMatchObject({ status: 0, stderr: '' })
})
