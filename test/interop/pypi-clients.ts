// Clients of other people from PyPI, at pinned versions, in the cache: newer than Debian's, and only the tests that need them wait for them.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../../core/error.ts'

/** aiokafka's compression is cramjam's. */
const PACKAGES = ['aiokafka==0.14.0', 'confluent-kafka==2.16.1', 'kafka-python==3.0.12', 'cramjam==2.11.0', 'async-timeout==5.0.1', 'packaging==26.3', 'typing-extensions==4.16.0']

/** What runs a program of theirs: the command, and the folder to find them in (PYTHONPATH). */
export interface PypiClients {
  readonly python: string
  readonly folder: string
}

/** Installed at the first call; a string says why not on this machine: no Python with pip, or no PyPI. Blocks. @throws MillraceError when pip fails otherwise */
export function pypiClients(): PypiClients | string {
  const version = spawnSync(PYTHON, ['-m', 'pip', '--version'], { encoding: 'utf8' })
  if (version.error !== undefined || version.status !== 0) return `The clients of PyPI want Python with pip (Debian: python3-pip): ${version.error?.message ?? version.stderr}`
  // Wheels are of one version of Python, which pip names.
  const hash = createHash('sha256').update([...PACKAGES, version.stdout].join('\n')).digest('hex').slice(0, 16)
  const folder = join(process.env['MILLRACE_CACHE'] ?? join(homedir(), '.cache', 'millrace'), `pypi-${hash}`)
  if (existsSync(join(folder, 'done'))) return { python: PYTHON, folder }
  return install(folder) ?? { python: PYTHON, folder }
}

/** Not the one of Debian's packages, which pip may not touch. */
const PYTHON = 'python3'
const INSTALL_TIMEOUT_MS = 120_000
const OUT_OF_REACH = /NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|Temporary failure in name resolution|from versions: none/

/** Null when it is done. */
function install(folder: string): string | null {
  // Beside it first, so that an interrupted install is never taken for a whole one.
  const fresh = `${folder}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1', '--no-deps', '--only-binary', ':all:', '--target', fresh, ...PACKAGES]
  const { status, stderr, error } = spawnSync(PYTHON, pip, { encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS })
  if (status !== 0 || error !== undefined || readdirSync(fresh).length === 0) {
    rmSync(fresh, { recursive: true, force: true })
    const said = `${error?.message ?? ''} ${stderr.slice(-2000)}`
    if (error === undefined && !OUT_OF_REACH.test(stderr)) throw new MillraceError('COMMAND_FAILED', `pip cannot install ${PACKAGES.join(' ')}: ${said}`)
    return `PyPI is out of reach: ${said}`
  }
  writeFileSync(join(fresh, 'done'), '')
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
  return null
}
