// What README and the pages beside it show is true: scripts load, commands run, files are there.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pages, ROOT } from './pages.ts'

const blocks = pages.flatMap(({ blocks }) => blocks)

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

const commands = blocks.filter(({ language, mark, text }) => language === 'sh' && mark === null && !text.includes('npm install'))

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

test.each(pages.flatMap(({ path, links }) => links.map(link => ({ path, link }))))('$path: $link is there', ({ path, link }) => {
  const [file, heading] = link.split('#') as [string, string?]
  const target = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file))
  expect(existsSync(join(ROOT, target))).toBe(true)
  if (heading !== undefined) expect(pages.find(page => page.path === target)?.headings).toContain(heading)
})
