// Keeps the bundle of each script until one of its files changes, for starting esbuild takes a third of the time to the first result.

import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { makeDirectories } from '../../broker/disk/make-directories.ts'
import { PACKAGE_FOLDER } from '../place/package-place.ts'

export interface ScriptBundle {
  /** An ES module. */
  readonly file: string
  /** Call it when the module is loaded. */
  release(): Promise<void>
}

/** With more files than this (two for each script), all is thrown away and begun anew. */
const MOST_KEPT_FILES = 400

/** What is kept beside a bundle: what it was made of, and when those files had changed last. */
interface BundleRecord {
  readonly file: string
  readonly sources: readonly (readonly [path: string, changedMs: number])[]
}

/** The bundle of a script, by its absolute path. Where nothing can be kept (no home directory to write to), it is made anew each time. */
export async function bundledScript(path: string): Promise<ScriptBundle> {
  const kept = keptFolder()
  if (kept === null) return madeOnce(path)
  const index = join(kept, `${createHash('sha256').update(`${path}\n${PACKAGE_FOLDER}\n${packageChange()}`).digest('hex').slice(0, 24)}.json`)
  const record = readRecord(index)
  if (record !== null && record.sources.every(([source, changedMs]) => changedAt(source) === changedMs) && changedAt(record.file) !== null) {
    return { file: record.file, release: () => Promise.resolve() }
  }
  const file = join(mkdtempSync(join(kept, 'script-')), moduleName(path))
  const { bundleScript } = await import('./script-bundle.ts')
  const sources = (await discardingOnFailure(bundleScript(path, file), dirname(file))).map(source => [source, changedAt(source) ?? 0] as const)
  writeFileSync(`${file}.json`, JSON.stringify({ file, sources } satisfies BundleRecord))
  renameSync(`${file}.json`, index)
  if (record !== null) rmSync(dirname(record.file), { recursive: true, force: true })
  return { file, release: () => Promise.resolve() }
}

async function madeOnce(path: string): Promise<ScriptBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-script-'))
  const file = join(folder, moduleName(path))
  const { bundleScript } = await import('./script-bundle.ts')
  await discardingOnFailure(bundleScript(path, file), folder)
  return { file, release: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })) }
}

function moduleName(path: string): string {
  return `${basename(path, extname(path))}.mjs`
}

async function discardingOnFailure<T>(work: Promise<T>, folder: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Only the user may write there: what is kept is run. */
function keptFolder(): string | null {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace', 'scripts')
  try {
    makeDirectories(folder, 0o700)
    if (readdirSync(folder).length > MOST_KEPT_FILES) for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
    return folder
  } catch {
    return null // A home that cannot be written to costs time, nothing else.
  }
}

/** A package that was built or installed anew has other faces: bundles name its files. */
function packageChange(): number {
  return changedAt(join(PACKAGE_FOLDER, 'package.json')) ?? 0
}

function readRecord(index: string): BundleRecord | null {
  if (changedAt(index) === null) return null
  const record = JSON.parse(readFileSync(index, 'utf8')) as BundleRecord
  return typeof record.file === 'string' && Array.isArray(record.sources) ? record : null
}

function changedAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}
