// What README shows is true: its scripts load, its commands run, its files are there.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)( no-test)?\n([\s\S]*?)^```$/gm)].map(match => ({ language: match[1]!, tested: match[2] === undefined, text: match[3]! }))

let directory = ''
/** That README names in their first line. */
const scripts: string[] = []
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-readme-'))
  for (const { text } of blocks) {
    const name = /^\/\/ ([\w.-]+\.ts)\n/.exec(text)?.[1]
    if (name === undefined) continue
    scripts.push(name)
    writeFileSync(join(directory, name), text)
  }
  symlinkSync(join(ROOT, 'examples'), join(directory, 'examples'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const commands = blocks.filter(({ language, tested, text }) => language === 'sh' && tested && !text.includes('npm ci'))

test.each(commands.map(({ text }) => text))('%s', async text => {
  const script = text.replaceAll('npx millrace', `"${process.execPath}" "${join(ROOT, 'dist/cli/main.js')}"`)
  const { stdout } = await promisify(execFile)('bash', ['-e', '-c', script], { cwd: directory })
  if (text.includes('page.txt --until-idle')) expect(stdout).toContain('"key":"be"')
  if (text.includes('airports.ndjson')) expect(readFileSync(join(directory, 'airports.ndjson'), 'utf8').split('\n').length).toBeGreaterThan(100)
})

test('the tests pass', async () => {
  const packages = join(directory, 'node_modules')
  mkdirSync(packages)
  symlinkSync(ROOT, join(packages, 'millrace'), 'junction')
  symlinkSync(join(ROOT, 'node_modules/vitest'), join(packages, 'vitest'), 'junction')
  const names = scripts.filter(name => name.endsWith('.test.ts'))
  expect(names.length).toBeGreaterThan(1)
  const run = promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', directory, '--reporter=json'], { cwd: directory })
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: names.length })
})

test('the TypeScript is right', async () => {
  const scripts = blocks.filter(({ language }) => language === 'ts')
  scripts.forEach(({ text }, i) => writeFileSync(join(directory, `block-${i}.ts`), `${text}\nexport {}\n`))
  const paths = (JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as { compilerOptions: { paths: Record<string, [string]> } }).compilerOptions.paths
  const compilerOptions = { noEmit: true, declaration: false, isolatedDeclarations: false, rootDir: '/', types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')], paths: { ...Object.fromEntries(Object.entries(paths).map(([name, [path]]) => [name, [join(ROOT, path)]])), vitest: [join(ROOT, 'node_modules/vitest/dist/index.d.ts')] } }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['*.ts'], exclude: [] }))
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', directory]).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
})

test.each([...readme.matchAll(/\]\(([^)#]+)\)/g)].map(match => match[1]!))('%s is there', path => {
  expect(existsSync(join(ROOT, path)), dirname(path)).toBe(true)
})
