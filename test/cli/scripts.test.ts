// Scripts as people write them: how they load, how their topology is shown, and what is said where they are wrong.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { millrace, temporaryDirectory } from './command.ts'

/** Writes a script into a directory of its own and gives its path. */
function script(text: string, files: Readonly<Record<string, string>> = {}): string {
  const directory = temporaryDirectory()
  for (const [name, content] of Object.entries({ 'script.ts': text, ...files })) {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return join(directory, 'script.ts')
}

const BUILDER = "import { StreamsBuilder, serdes } from 'millrace'\nconst builder = new StreamsBuilder()\nconst stream = builder.stream('in', { key: serdes.string, value: serdes.string })\n"

test('a topology is shown as trees, with the lines of the script', async () => {
  const { stdout, status } = await millrace(['describe', 'examples/word-count.ts'])
  expect(status).toBe(0)
  expect(stdout).toBe(`word-count: 2 subtopologies, 8 nodes, 1 store

subtopology 0: one task for each partition of sentences
  source sentences: topics sentences · serdes string, string  (examples/word-count.ts:8)
  └─ flatMapValues  (examples/word-count.ts:9)
     └─ groupBy  (examples/word-count.ts:10)
        └─ repartition-sink: repartition counts  (examples/word-count.ts:11)

subtopology 1: one task for each partition of counts-repartition
  repartition-source: repartition counts  (examples/word-count.ts:11)
  └─ aggregate sentences.flatMapValues.groupBy.count: store counts  (examples/word-count.ts:11)
     └─ toStream  (examples/word-count.ts:12)
        └─ to: topic word-counts · serdes string, int64  (examples/word-count.ts:13)
  store counts: key-value · string, int64 · on disk
`)
})

test.each([
  ['json', /^\{\n {2}"subtopologies": \[/],
  ['mermaid', /^flowchart TD\n/],
  ['kafka', /^Topologies:\n {3}Sub-topology: 0\n/],
])('a topology is shown as %s', async (format, beginning) => {
  expect((await millrace(['describe', 'examples/flight-delays.ts', '--format', format])).stdout).toMatch(beginning)
})

test('a script may export a topology, a builder or an application, and import its own files and packages', async () => {
  const files = { 'words.ts': 'export const topic: string = await Promise.resolve("out")', 'node_modules/shout/index.js': 'module.exports = text => text.toUpperCase()', 'node_modules/shout/package.json': '{"name":"shout","version":"1.0.0"}' }
  const head = `${BUILDER}import shout from 'shout'\nimport { topic } from './words.ts'\nstream.mapValues(v => shout(v)).to(topic, { value: serdes.string })\n`
  for (const end of ['export default builder.build()', 'export default builder', 'export default { topology: builder, applicationId: "mine" }']) {
    const { stdout, stderr, status } = await millrace(['describe', script(head + end, files)])
    expect(status, stderr).toBe(0)
    expect(stdout).toContain('topic out')
    expect(stdout).toMatch(end.includes('mine') ? /^mine: / : /^script: /)
  }
})

test('a script knows where it is', async () => {
  const { stderr } = await millrace(['describe', script("throw new Error(import.meta.url + ' ' + import.meta.dirname)")])
  expect(stderr).toMatch(/file:\/\/\S+\/script\.ts \/\S+millrace-test-\w+/)
})

test.each([
  ['const = 5', /script\.ts:1:7: Expected identifier but found "="\n {2}const = 5\n {8}\^/],
  ["import { x } from 'no-such-package'\nexport default x", /script\.ts:1:19: Could not resolve "no-such-package"/],
  ["import { x } from './nothing.ts'\nexport default x", /script\.ts:1:19: Could not resolve "\.\/nothing\.ts"/],
  ['interface A { b: number }\nconst a = null as unknown as A\na.b.toFixed()', /script\.ts:3:3: TypeError: Cannot read properties of null \(reading 'b'\)\n {2}a\.b\.toFixed\(\)\n {4}\^/],
  ['export const a = 1', /script\.ts has no default export\.\n {2}→ End it with `export default/],
  ['export default 17', /script\.ts exports something that is no topology by default\./],
  [`${BUILDER}stream.join(17, v => v)\nexport default builder`, /join at \S+script\.ts:4: what it is given is neither a table nor a global table\./],
])('%j is wrong, and the person is told where', async (text, message) => {
  const { status, stdout, stderr } = await millrace(['describe', script(text)])
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/\bat .*node_modules|dist\//)
})

test('a script that is not there', async () => {
  const { status, stderr } = await millrace(['run', 'nowhere.ts'])
  expect([status, stderr]).toEqual([1, 'millrace: There is no script nowhere.ts.\n'])
})
