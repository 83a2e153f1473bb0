// Clients of other people from npm, at pinned versions, in the cache: no dependencies of ours, and only the tests that need them wait for them.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from './program.ts'

/** The folder with node_modules in which these packages (`name@version`) are installed, at the first call from npm. @throws MillraceError */
export async function npmClients(packages: readonly string[]): Promise<string> {
  const cache = process.env['MILLRACE_CACHE'] ?? join(homedir(), '.cache', 'millrace')
  const folder = join(cache, `npm-${packages.join('+').replaceAll('/', '-')}`)
  if (existsSync(join(folder, 'done'))) return folder
  // Beside it first, so that an interrupted install is never taken for a whole one.
  const fresh = `${folder}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  writeFileSync(join(fresh, 'package.json'), '{"private":true,"type":"module"}\n')
  await runProgram('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', fresh, ...packages])
  writeFileSync(join(fresh, 'done'), '')
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
  return folder
}
