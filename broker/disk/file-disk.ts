// The machine's file system as a Disk: synchronous writes into the page cache, asynchronous fdatasync.

import * as fs from 'node:fs'
import * as path from 'node:path'
import { assert, MillraceError } from '../../core/error.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Disk, DiskFile, DiskLock, DiskSpace } from './disk.ts'
import { lockDirectory } from './directory-lock.ts'
import { makeDirectories } from './make-directories.ts'
import { SharedSyncs } from './shared-syncs.ts'

/** Files below `root`, which is created when it is not there. */
export class FileDisk implements Disk {
  readonly name: string
  /** Numbers the temporary files, so that two under way do not meet. */
  #replaced = 0
  readonly #directorySyncs = new SharedSyncs(syncDirectory)

  constructor(root: string) {
    this.name = path.resolve(root)
    attempt('create', this.name, () => makeDirectories(this.name))
  }

  /** The lock of the directory is called `.lock`; nothing else is called `.LOCK`. */
  get foldsCase(): boolean {
    return fs.existsSync(this.#full('.LOCK'))
  }

  open(file: string): DiskFile {
    const full = this.#full(file)
    return attempt('open', full, () => new MachineFile(full))
  }

  readFile(file: string): Buffer | null {
    const full = this.#full(file)
    return attempt('read', full, () => orNull(() => fs.readFileSync(full)))
  }

  writeFile(file: string, content: Uint8Array): void {
    const full = this.#full(file)
    attempt('write', full, () => fs.writeFileSync(full, content))
  }

  async replaceFile(file: string, content: Uint8Array): Promise<void> {
    const full = this.#full(file)
    const temporary = `${full}.${this.#replaced++}.tmp`
    const written = attempt('write', full, () => new MachineFile(temporary))
    try {
      written.truncate(0)
      written.append([content])
      await written.sync()
    } finally {
      written.close()
    }
    await moveOver(temporary, full)
  }

  size(file: string): number | null {
    const full = this.#full(file)
    return attempt('stat', full, () => fs.statSync(full, { throwIfNoEntry: false })?.size ?? null)
  }

  modifiedAt(file: string): Timestamp | null {
    const full = this.#full(file)
    return attempt('stat', full, () => fs.statSync(full, { throwIfNoEntry: false })?.mtime.getTime() ?? null)
  }

  setModified(file: string, time: Timestamp): void {
    const full = this.#full(file)
    attempt('touch', full, () => fs.utimesSync(full, time / 1000, time / 1000))
  }

  list(directory: string): readonly string[] {
    const full = this.#full(directory)
    return attempt('list', full, () => orNull(() => fs.readdirSync(full))?.sort() ?? [])
  }

  makeDirectory(directory: string, isPrivate = false): void {
    const full = this.#full(directory)
    attempt('create', full, () => makeDirectories(full, isPrivate ? 0o700 : undefined))
  }

  rename(from: string, to: string): void {
    const full = this.#full(from)
    attempt('rename', full, () => fs.renameSync(full, this.#full(to)))
  }

  renameIfThere(from: string, to: string): boolean {
    const full = this.#full(from)
    const renamed = (): true => {
      fs.renameSync(full, this.#full(to))
      return true
    }
    return attempt('rename', full, () => orNull(renamed)) ?? false
  }

  remove(file: string): void {
    const full = this.#full(file)
    attempt('remove', full, () => fs.rmSync(full, { recursive: true, force: true }))
  }

  async erase(file: string): Promise<void> {
    const full = this.#full(file)
    try {
      await erase(full)
    } catch (error) {
      throw diskError('remove', full, error)
    }
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#directorySyncs.sync(this.#full(directory))
  }

  space(): DiskSpace | null {
    const { blocks, bavail, bsize } = attempt('look at', this.name, () => fs.statfsSync(this.name))
    return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
  }

  lock(): DiskLock {
    return attempt('lock', this.name, () => lockDirectory(this.name))
  }

  #full(relative: string): string {
    return path.join(this.name, relative)
  }
}

/** Not `fs.rm`, which hands all files of a directory to the few threads at once: an fsync would wait for the last. */
async function erase(full: string): Promise<void> {
  try {
    const stat = await fs.promises.lstat(full)
    if (!stat.isDirectory()) return await fs.promises.unlink(full)
    for (const name of await fs.promises.readdir(full)) await erase(path.join(full, name))
    await fs.promises.rmdir(full)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Off the main thread: freeing the file that is replaced took 2 to 3 ms on ext4, which stands still meanwhile. */
function moveOver(temporary: string, full: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.rename(temporary, full, error => (error === null ? resolve() : reject(diskError('replace', full, error))))
  })
}

function syncDirectory(full: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.open(full, 'r', (openError, descriptor) => {
      if (openError !== null) return directoriesSync ? reject(diskError('sync', full, openError)) : resolve()
      fs.fsync(descriptor, error => {
        fs.closeSync(descriptor)
        if (error !== null && directoriesSync) reject(diskError('sync', full, error))
        else resolve()
      })
    })
  })
}

/** Windows cannot open directories; there, names are as durable as the file system makes them. */
const directoriesSync: boolean = process.platform !== 'win32'

class MachineFile implements DiskFile {
  readonly #path: string
  readonly #descriptor: number
  #size: number
  #open = true

  constructor(full: string) {
    this.#path = full
    this.#descriptor = fs.openSync(full, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644)
    this.#size = fs.fstatSync(this.#descriptor).size
  }

  get size(): number {
    return this.#size
  }

  append(parts: readonly Uint8Array[]): void {
    assert(this.#open, `append to the closed file ${this.#path}`)
    try {
      this.#size += writeAll(this.#descriptor, parts, this.#size)
    } catch (error) {
      this.#cutBack()
      throw diskError('write', this.#path, error)
    }
  }

  read(position: number, target: Uint8Array): number {
    assert(this.#open, `read from the closed file ${this.#path}`)
    let done = 0
    while (done < target.length) {
      const count = attempt('read', this.#path, () => fs.readSync(this.#descriptor, target, done, target.length - done, position + done))
      if (count === 0) break
      done += count
    }
    return done
  }

  overwrite(position: number, bytes: Uint8Array): void {
    assert(this.#open && position + bytes.length <= this.#size, `what is overwritten in ${this.#path} is there`)
    attempt('write', this.#path, () => writeAll(this.#descriptor, [bytes], position))
  }

  truncate(size: number): void {
    attempt('truncate', this.#path, () => fs.ftruncateSync(this.#descriptor, size))
    this.#size = size
  }

  sync(): Promise<void> {
    assert(this.#open, `sync of the closed file ${this.#path}`)
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#descriptor, error => (error === null ? resolve() : reject(diskError('sync', this.#path, error))))
    })
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    attempt('close', this.#path, () => fs.closeSync(this.#descriptor))
  }

  /** After a write that failed half way. If cutting fails too, the next append overwrites the rest: it goes by our size, not the file's. */
  #cutBack(): void {
    try {
      fs.ftruncateSync(this.#descriptor, this.#size)
    } catch {
      // The caller gets the write's own error, which is the one that says what happened.
    }
  }
}

/** Most parts one writev takes (IOV_MAX is 1024 on Linux and macOS). */
const maxPartsPerWrite = 1024

function writeAll(descriptor: number, parts: readonly Uint8Array[], start: number): number {
  let position = start
  for (let from = 0; from < parts.length; from += maxPartsPerWrite) {
    const some = parts.slice(from, from + maxPartsPerWrite)
    const wanted = some.reduce((sum, part) => sum + part.length, 0)
    const written = some.length === 1 ? fs.writeSync(descriptor, some[0]!, 0, wanted, position) : fs.writevSync(descriptor, some, position)
    position += written < wanted ? writeRest(descriptor, some, written, position) : written
  }
  return position - start
}

/** The kernel may take less than it was given; what is left goes out piece by piece. Answers the bytes of all parts. */
function writeRest(descriptor: number, parts: readonly Uint8Array[], written: number, position: number): number {
  let skip = written
  let at = position + written
  for (const part of parts) {
    for (let done = Math.min(skip, part.length); done < part.length; ) {
      const count = fs.writeSync(descriptor, part, done, part.length - done, at)
      done += count
      at += count
    }
    skip = Math.max(0, skip - part.length)
  }
  return at - position
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function attempt<T>(what: string, full: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw diskError(what, full, error)
  }
}

function diskError(what: string, full: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const code = codeOf(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MillraceError('DISK_FULL', `There is no room to ${what} ${full}.`, { hint: 'Free disk space; writing resumes by itself.', retriable: true, cause })
  }
  const hint = what === 'create' && code === 'ENOENT' ? 'No directory can be made there: use another one.' : hints[code]
  return new MillraceError('DISK_FAILED', `Could not ${what} ${full} (${code}).`, { cause, ...(hint === undefined ? {} : { hint }) })
}

const hints: Readonly<Record<string, string>> = {
  EACCES: 'Give the user of this process the right to write there, or use another directory.',
  EPERM: 'Give the user of this process the right to write there, or use another directory.',
  EROFS: 'Nothing can be written there: use another directory.',
  ENOTDIR: 'A part of that path is a file: use another directory.',
  EEXIST: 'A part of that path is a file: use another directory.',
  EMFILE: 'Let the process have more files open (ulimit -n), or lower millrace.max.open.files.',
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
