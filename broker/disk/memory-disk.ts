// A Disk in memory that remembers what was synced, so that a test can crash it at any byte, fill it up or rot it.

import type { Clock } from '../../core/clock.ts'
import { assert, MillraceError } from '../../core/error.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Disk, DiskFile, DiskLock, DiskSpace } from './disk.ts'
import { MemoryContent } from './memory-content.ts'

/** What a crash leaves of one file: how many of its unsynced bytes survive, and whether lost ones leave zeros behind. */
export type CrashOutcome = (file: { readonly path: string; readonly synced: number; readonly size: number }) => {
  /** Between `synced` and `size`. */
  readonly keep: number
  /** Zero bytes in the place of lost ones: the file grew but its data never came. Default 0, at most `size - keep`. */
  readonly zeros?: number
}

/**
 * Names are durable at once (as a journaling file system keeps them in order) unless `losesNames`; content is durable up to the last `sync`.
 * Times of files are the clock's; without one nobody knows them.
 * The faults are plain fields and methods, to be turned on and off at will.
 */
export class MemoryDisk implements Disk {
  readonly name: string = 'memory'
  #files = new Map<string, MemoryContent>()
  #directories = new Set<string>()
  readonly #clock: Clock | null
  #locked = false
  #crashed = false
  /** No file may grow beyond this many bytes in all; a write that would fails with DISK_FULL. */
  capacityBytes: number = Number.POSITIVE_INFINITY
  /** While this is set, `sync` calls wait for it. */
  syncGate: Promise<void> | null = null
  /** The next `sync` calls fail with this error. */
  syncFailure: MillraceError | null = null
  /** The next `sync` call fails, and it alone: as a kernel says of a lost page once, and that all is well ever after. */
  syncFailsOnce = false
  /** A crash undoes what was made, moved and removed in a directory that was not synced since. */
  losesNames = false
  /** What names were before, the latest change last. */
  #changes: NameChange[] = []

  constructor(clock: Clock | null = null) {
    this.#clock = clock
  }

  open(path: string): DiskFile {
    this.#check()
    let content = this.#files.get(path)
    if (content === undefined) {
      content = this.#newContent()
      this.#changes.push({ path, files: [], directories: [] })
      this.#files.set(path, content)
    }
    return new MemoryFile(this, content, path)
  }

  readFile(path: string): Buffer | null {
    this.#check()
    return this.#files.get(path)?.slice(0) ?? null
  }

  writeFile(path: string, bytes: Uint8Array): void {
    this.#check()
    this.claim(bytes.length, path)
    const content = this.#newContent()
    content.append(bytes)
    this.#files.set(path, content)
  }

  async replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${path}.tmp`
    this.writeFile(temporary, bytes)
    if (this.syncGate !== null) await this.syncGate
    this.#check()
    if (this.syncFailure !== null) throw this.syncFailure
    const written = this.#files.get(temporary)
    // Its directory was moved or removed meanwhile.
    if (written === undefined) throw new MillraceError('DISK_FAILED', `Could not replace ${path}.`)
    this.#files.delete(temporary)
    this.#files.set(path, written)
    const content = this.#files.get(path)!
    content.synced = content.size
  }

  size(path: string): number | null {
    this.#check()
    return this.#files.get(path)?.size ?? null
  }

  modifiedAt(path: string): Timestamp | null {
    this.#check()
    return this.#files.get(path)?.modifiedAt ?? null
  }

  setModified(path: string, time: Timestamp): void {
    this.#check()
    const content = this.#files.get(path)
    if (content !== undefined) content.modifiedAt = time
  }

  list(directory: string): readonly string[] {
    this.#check()
    const prefix = directory === '' ? '' : `${directory}/`
    const names = new Set<string>()
    for (const path of [...this.#files.keys(), ...this.#directories]) {
      if (path.startsWith(prefix) && path.length > prefix.length) names.add(path.slice(prefix.length).split('/')[0]!)
    }
    return [...names].sort()
  }

  makeDirectory(path: string): void {
    this.#check()
    if (!this.#directories.has(path)) this.#changes.push({ path, files: [], directories: [] })
    this.#directories.add(path)
  }

  rename(from: string, to: string): void {
    this.#check()
    // What a directory holds that moves is not asked for any more.
    this.#changes = this.#changes.filter(({ path }) => !path.startsWith(`${from}/`))
    this.#note(from)
    this.#note(to)
    for (const [path, content] of [...this.#files]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      this.#files.delete(path)
      this.#files.set(to + path.slice(from.length), content)
    }
    for (const path of [...this.#directories]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      this.#directories.delete(path)
      this.#directories.add(to + path.slice(from.length))
    }
  }

  renameIfThere(from: string, to: string): boolean {
    this.#check()
    if (!this.#files.has(from) && !this.#directories.has(from)) return false
    this.rename(from, to)
    return true
  }

  remove(path: string): void {
    this.#check()
    this.#note(path)
    for (const file of [...this.#files.keys()]) if (file === path || file.startsWith(`${path}/`)) this.#files.delete(file)
    for (const directory of [...this.#directories]) if (directory === path || directory.startsWith(`${path}/`)) this.#directories.delete(directory)
  }

  async erase(path: string): Promise<void> {
    this.remove(path)
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#check()
    this.#changes = this.#changes.filter(({ path }) => parentOf(path) !== directory)
  }

  space(): DiskSpace | null {
    this.#check()
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return null
    return { totalBytes: this.capacityBytes, usableBytes: Math.max(0, this.capacityBytes - this.usedBytes) }
  }

  lock(): DiskLock {
    this.#check()
    if (this.#locked) throw new MillraceError('DATA_DIRECTORY_LOCKED', 'The memory disk is in use by another broker.')
    this.#locked = true
    return { release: () => void (this.#locked = false) }
  }

  /** The disk as the next process finds it. This one refuses everything from now on. By default every unsynced byte is lost. */
  crash(outcome: CrashOutcome = file => ({ keep: file.synced })): MemoryDisk {
    this.#crashed = true
    const next = new MemoryDisk(this.#clock)
    if (this.losesNames) for (const change of this.#changes.toReversed()) this.#undo(change)
    next.#directories = new Set(this.#directories)
    for (const [path, content] of this.#files) {
      const { keep, zeros = 0 } = outcome({ path, synced: content.synced, size: content.size })
      assert(keep >= content.synced && keep + zeros <= content.size, `a crash keeps ${keep} of ${content.size} bytes, ${content.synced} synced`)
      const survivor = this.#newContent(content.modifiedAt)
      survivor.append(content.slice(0, keep))
      survivor.append(Buffer.alloc(zeros))
      survivor.synced = survivor.size
      next.#files.set(path, survivor)
    }
    return next
  }

  /** The disk as the next process finds it when only the process has died: every byte is there, and what was not synced, or lost by a sync that failed, still is not. */
  kill(): MemoryDisk {
    const changes = this.#changes
    this.losesNames = false
    const next = this.crash(file => ({ keep: file.size }))
    for (const [path, { synced, lostFrom }] of this.#files) Object.assign(next.#files.get(path)!, { synced, lostFrom })
    next.#changes = [...changes]
    return next
  }

  /** Flips one bit. */
  corrupt(path: string, position: number): void {
    const content = this.#files.get(path)
    assert(content !== undefined && position < content.size, `there is no byte ${position} in ${path}`)
    content.flip(position)
  }

  /** Bytes in all files. */
  get usedBytes(): number {
    let bytes = 0
    for (const content of this.#files.values()) bytes += content.size
    return bytes
  }

  /** @internal */
  takeSyncFailure(): MillraceError | null {
    if (!this.syncFailsOnce) return this.syncFailure
    this.syncFailsOnce = false
    return new MillraceError('DISK_FAILED', 'The memory disk has lost what it was to sync.')
  }

  /** @internal */
  claim(bytes: number, path: string): void {
    this.#check()
    if (bytes === 0 || this.capacityBytes === Number.POSITIVE_INFINITY || this.usedBytes + bytes <= this.capacityBytes) return
    throw new MillraceError('DISK_FULL', `There is no room to write ${path}.`, { retriable: true })
  }

  /** @internal */
  now(): Timestamp | null {
    return this.#clock?.now() ?? null
  }

  #newContent(modifiedAt: Timestamp | null = this.now()): MemoryContent {
    const content = new MemoryContent()
    content.modifiedAt = modifiedAt
    return content
  }

  /** A name is about to stand for something else or nothing: remembers for what it did, where that may be asked for. */
  #note(path: string): void {
    if (!this.losesNames) return
    const files = [...this.#files].filter(([file]) => isWithin(file, path))
    const directories = [...this.#directories].filter(directory => isWithin(directory, path))
    this.#changes.push({ path, files, directories })
  }

  #undo({ path, files, directories }: NameChange): void {
    for (const file of [...this.#files.keys()]) if (isWithin(file, path)) this.#files.delete(file)
    for (const directory of [...this.#directories]) if (isWithin(directory, path)) this.#directories.delete(directory)
    for (const [file, content] of files) this.#files.set(file, content)
    for (const directory of directories) this.#directories.add(directory)
  }

  #check(): void {
    if (this.#crashed) throw new MillraceError('DISK_FAILED', 'The memory disk has crashed.')
  }
}

/** What a name stood for. */
interface NameChange {
  readonly path: string
  readonly files: readonly (readonly [string, MemoryContent])[]
  readonly directories: readonly string[]
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

class MemoryFile implements DiskFile {
  readonly #disk: MemoryDisk
  readonly #content: MemoryContent
  readonly #path: string

  constructor(disk: MemoryDisk, content: MemoryContent, path: string) {
    this.#disk = disk
    this.#content = content
    this.#path = path
  }

  get size(): number {
    return this.#content.size
  }

  append(parts: readonly Uint8Array[]): void {
    let bytes = 0
    for (const part of parts) bytes += part.length
    this.#disk.claim(bytes, this.#path)
    for (const part of parts) this.#content.append(part)
    this.#content.modifiedAt = this.#disk.now()
  }

  read(position: number, target: Uint8Array): number {
    this.#disk.claim(0, this.#path)
    return this.#content.read(position, target)
  }

  overwrite(position: number, bytes: Uint8Array): void {
    this.#disk.claim(0, this.#path)
    assert(position + bytes.length <= this.#content.size, `what is overwritten in ${this.#path} is there`)
    this.#content.overwrite(position, bytes)
  }

  truncate(size: number): void {
    this.#disk.claim(0, this.#path)
    this.#content.truncate(size)
    this.#content.modifiedAt = this.#disk.now()
  }

  async sync(): Promise<void> {
    const size = this.#content.size
    if (this.#disk.syncGate !== null) await this.#disk.syncGate
    this.#disk.claim(0, this.#path)
    const failure = this.#disk.takeSyncFailure()
    if (failure !== null) {
      this.#content.loseUnsynced()
      throw failure
    }
    this.#content.synced = Math.max(this.#content.synced, Math.min(size, this.#content.size, this.#content.lostFrom))
  }

  close(): void {}
}
