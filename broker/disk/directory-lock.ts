// One process per data directory: a lock file that names its owner, taken over when that process is gone.

import * as fs from 'node:fs'
import * as path from 'node:path'
import { MillraceError } from '../../core/error.ts'
import type { DiskLock } from './disk.ts'

/** Directories this very process holds; a process id alone would not tell two brokers in one process apart. */
const held = new Set<string>()

/** @throws MillraceError DATA_DIRECTORY_LOCKED while another process, or another broker in this one, uses the directory */
export function lockDirectory(directory: string): DiskLock {
  const real = fs.realpathSync(directory)
  const file = path.join(real, '.lock')
  if (held.has(real)) throw locked(directory, process.pid)
  take(file, directory)
  held.add(real)
  return {
    release() {
      if (!held.delete(real)) return
      fs.rmSync(file, { force: true })
    },
  }
}

/** Who holds a lock. `started` and `boot` tell a process from a later one with the same id; null where the system does not say. */
interface Owner {
  readonly pid: number
  readonly started: string | null
  readonly boot: string | null
}

function take(file: string, directory: string): void {
  const claim = `${file}.${process.pid}`
  fs.writeFileSync(claim, JSON.stringify(self()))
  try {
    for (let tries = 0; tries < 3; tries++) {
      if (link(claim, file)) return
      const content = readOrNull(file)
      if (content === null) continue
      const owner = ownerOf(content)
      if (owner !== null && lives(owner)) throw locked(directory, owner.pid)
      removeStale(file, content)
    }
    throw locked(directory, null)
  } finally {
    fs.rmSync(claim, { force: true })
  }
}

/** A hard link appears with its content and only if there is none yet: two claims cannot both succeed. */
function link(claim: string, file: string): boolean {
  try {
    fs.linkSync(claim, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'ENOTSUP') throw error
    return createExclusively(claim, file)
  }
}

/** For file systems without hard links. */
function createExclusively(claim: string, file: string): boolean {
  try {
    fs.writeFileSync(file, fs.readFileSync(claim), { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Takes the dead owner's file away, and puts it back if it was replaced by a live one between reading and moving. */
function removeStale(file: string, content: string): void {
  const aside = `${file}.stale.${process.pid}`
  try {
    fs.renameSync(file, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if (readOrNull(aside) !== content) link(aside, file)
  fs.rmSync(aside, { force: true })
}

function self(): Owner {
  return { pid: process.pid, started: startOf(process.pid), boot: boot() }
}

function lives(owner: Owner): boolean {
  if (owner.pid === process.pid) return false
  if (owner.boot !== null && owner.boot !== boot()) return false
  const started = startOf(owner.pid)
  if (started !== null || owner.started !== null) return started === owner.started
  try {
    process.kill(owner.pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/**
 * When a process began, in ticks since boot (Linux only). Field 22 of its stat; the name in field 2 may hold spaces.
 * Null for one that is dead and waits for its parent to notice: in a container whose first process is no init that is for ever.
 */
function startOf(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`)
  const fields = stat === null ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
}

function boot(): string | null {
  return readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? null
}

function ownerOf(content: string): Owner | null {
  try {
    const owner = JSON.parse(content) as Owner
    return Number.isSafeInteger(owner.pid) ? owner : null
  } catch {
    // A file that is not ours or was torn by a crash names nobody.
    return null
  }
}

function readOrNull(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return null
    throw error
  }
}

function locked(directory: string, pid: number | null): MillraceError {
  const who = pid === null ? 'another process' : pid === process.pid ? 'this very process' : `process ${pid}`
  return new MillraceError('DATA_DIRECTORY_LOCKED', `The data directory ${directory} is in use by ${who}.`, {
    hint: 'Stop it, use another directory, or connect to the broker that serves it.',
    retriable: true,
  })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
