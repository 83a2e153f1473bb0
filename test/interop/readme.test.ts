// What README shows with clients of others is true; the broker is at another port than there.

import { expect, test } from 'vitest'
import { pages, ROOT } from '../docs/pages.ts'
import { startFileBroker } from './file-broker.ts'
import { runProgram, startProgram } from './program.ts'

const millrace = [process.execPath, `${ROOT}/dist/cli/main.js`] as const

const blocks = pages.flatMap(({ blocks }) => blocks.filter(({ mark }) => mark === 'kafka').map(({ text }) => text))

test.for(blocks)('%s', async text => {
  await using broker = await startFileBroker()
  const script = text.replaceAll('127.0.0.1:9092', broker.bootstrap).replaceAll('npx millrace', `"${millrace[0]}" "${millrace[1]}"`)
  const output = (await runProgram('bash', ['-e', '-c', script])).toString()
  expect(output).toContain('key ann, value one tea')
  expect(output).toContain('"key":"ann","value":"one tea"')
})

test('a broker in memory says where it is, serves kcat, and ends when it is asked to', async () => {
  const broker = startProgram(millrace[0], [millrace[1], 'broker', '--memory', '--listen', '127.0.0.1:0'])
  const [, address] = await broker.until(/^(127\.0\.0\.1:\d+)$/m)
  await runProgram('kcat', ['-b', address!, '-P', '-t', 'orders'], { input: 'one tea\n' })
  expect((await runProgram('kcat', ['-b', address!, '-C', '-q', '-e', '-t', 'orders', '-o', 'beginning'])).toString()).toBe('one tea\n')
  await broker.stop()
})
