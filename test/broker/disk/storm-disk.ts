// A disk in memory whose crashes are as bad as those of a real one may be: pages of a file, sizes and names are kept or lost apart from each other.

import { MillraceError } from '../../../core/error.ts'
import type { Random } from '../../../core/random.ts'
import type { Disk, DiskFile, DiskLock, DiskSpace } from '../../../broker/disk/disk.ts'

/** How names are kept: in the order of all changes, any fsync making those before durable (ext4, XFS); or each directory on its own, as POSIX allows. */
export type NameOrder = 'journal' | 'loose'

/** What a crash leaves of what was not synced. */
export type CrashMode = 'nothing' | 'all' | 'mixed'

const pageBytes = 4096

/** Never repeats itself for the same seed. Syncs end when they are told to; see {@link StormDisk.endSyncs}. */
export class StormDisk implements Disk {
  readonly name: string = 'storm'
  readonly #random: Random
  readonly #order: NameOrder
  #root = new Directory()
  #syncs: (() => void)[] = []
  #isOff = false
  #locked = false
  #changes = 0
  #temporaries = 0
  /** Changes made so far. */
  operations = 0
  /** The power goes at this operation: it and all later ones fail. */
  goesAt: number = Number.POSITIVE_INFINITY
  /** Of a hundred, how many syncs fail, and how many appends. */
  failingSyncs = 0
  failingAppends = 0
  capacityBytes: number = Number.POSITIVE_INFINITY

  constructor(random: Random, order: NameOrder) {
    this.#random = random
    this.#order = order
  }

  get isOff(): boolean {
    return this.#isOff
  }

  get usedBytes(): number {
    return bytesOf(this.#root)
  }

  /** Syncs under way. */
  get waiting(): number {
    return this.#syncs.length
  }

  /** Ends some of the syncs under way, in any order; all of them by default. */
  endSyncs(count: number = this.#syncs.length): void {
    for (let left = Math.min(count, this.#syncs.length); left > 0; left--) this.#syncs.splice(this.below(this.#syncs.length), 1)[0]!()
  }

  below(limit: number): number {
    return this.#random.uint32() % limit
  }

  #coin(): boolean {
    return this.below(2) === 0
  }

  // ─── Disk ───

  open(path: string): DiskFile {
    this.#look()
    const { directory, name } = this.#place(path)
    let node = directory.entries.get(name)
    if (node === undefined) {
      this.change(`open ${path}`)
      node = new StormFile()
      this.#set(directory, [[name, node]])
    }
    if (!(node instanceof StormFile)) throw failure(`${path} is a directory`)
    return new StormHandle(this, node, path)
  }

  readFile(path: string): Buffer | null {
    this.#look()
    const node = this.#find(path)
    return node instanceof StormFile ? Buffer.from(node.content()) : null
  }

  writeFile(path: string, content: Uint8Array): void {
    const file = this.open(path)
    file.truncate(0)
    file.append([content])
  }

  async replaceFile(path: string, content: Uint8Array): Promise<void> {
    const temporary = `${path}.${this.#temporaries++}.tmp`
    const written = this.open(temporary)
    written.truncate(0)
    written.append([content])
    await written.sync()
    this.rename(temporary, path)
  }

  size(path: string): number | null {
    this.#look()
    const node = this.#find(path)
    return node instanceof StormFile ? node.size : null
  }

  list(directory: string): readonly string[] {
    this.#look()
    const node = this.#find(directory)
    return node instanceof Directory ? [...node.entries.keys()].sort() : []
  }

  makeDirectory(path: string): void {
    this.#look()
    if (this.#find(path) !== undefined) return
    this.change(`makeDirectory ${path}`)
    const { directory, name } = this.#place(path)
    this.#set(directory, [[name, new Directory()]])
  }

  rename(from: string, to: string): void {
    this.change(`rename ${from}`)
    const source = this.#place(from)
    const target = this.#place(to)
    const node = source.directory.entries.get(source.name)
    if (node === undefined) throw failure(`there is no ${from}`)
    if (source.directory !== target.directory) throw failure('names are moved within a directory')
    this.#set(source.directory, [[source.name, null], [target.name, node]])
  }

  renameIfThere(from: string, to: string): boolean {
    this.#look()
    if (this.#find(from) === undefined) return false
    this.rename(from, to)
    return true
  }

  /** Nobody knows. */
  modifiedAt(): null {
    return null
  }

  setModified(): void {}

  async erase(path: string): Promise<void> {
    this.remove(path)
  }

  /** One name after the other, as `rm -r` does. */
  remove(path: string): void {
    this.#look()
    const node = this.#find(path)
    if (node === undefined) return
    if (node instanceof Directory) for (const name of [...node.entries.keys()]) this.remove(`${path}/${name}`)
    this.change(`remove ${path}`)
    const { directory, name } = this.#place(path)
    this.#set(directory, [[name, null]])
  }

  async syncDirectory(path: string): Promise<void> {
    this.change(`syncDirectory ${path}`)
    const directory = this.#find(path)
    if (!(directory instanceof Directory)) throw failure(`there is no directory ${path}`)
    const until = this.#changes
    await this.wait()
    if (this.below(100) < this.failingSyncs) throw failure(`could not sync ${path}`)
    this.commit(until, directory)
  }

  space(): DiskSpace | null {
    return null
  }

  lock(): DiskLock {
    this.#look()
    if (this.#locked) throw new MillraceError('DATA_DIRECTORY_LOCKED', 'The disk is in use.')
    this.#locked = true
    return { release: () => void (this.#locked = false) }
  }

  // ─── the end ───

  /** The process has died: nothing that it wrote is lost, and what was not synced still is not. */
  kill(): StormDisk {
    forgetSyncs(this.#root)
    return this.#next(this.#root)
  }

  /** The power has gone. */
  crash(mode: CrashMode): StormDisk {
    const last = mode === 'all' ? this.#changes : mode === 'nothing' ? 0 : this.below(this.#changes + 1)
    const keeps = (change: NameChange): boolean => change.number <= last
    const survivor = (node: Node): Node => {
      if (node instanceof StormFile) return node.survivor(mode, () => this.#coin())
      const limit = mode === 'mixed' && this.#order === 'loose' ? this.below(node.pending.length + 1) : null
      const pending = limit === null ? node.pending.filter(keeps) : node.pending.slice(0, limit)
      const next = new Directory()
      for (const [name, child] of node.stable) next.entries.set(name, child)
      for (const { names } of pending) next.apply(names)
      for (const [name, child] of next.entries) next.entries.set(name, survivor(child))
      next.stable = new Map(next.entries)
      return next
    }
    return this.#next(survivor(this.#root) as Directory)
  }

  #next(root: Directory): StormDisk {
    this.#isOff = true
    const next = new StormDisk(this.#random, this.#order)
    next.#root = root
    next.#changes = this.#changes
    next.#temporaries = this.#temporaries
    return next
  }

  // ─── for files ───

  /** Before anything changes. */
  change(what: string): void {
    this.#look()
    if (this.operations++ < this.goesAt) return
    this.#isOff = true
    throw failure(`the power went before: ${what}`)
  }

  #look(): void {
    if (this.#isOff) throw failure('the power is off')
  }

  /** A sync takes until it is told to end; for ever when the power goes. */
  async wait(): Promise<void> {
    await new Promise<void>(resolve => this.#syncs.push(resolve))
    if (this.#isOff) await new Promise(() => {})
  }

  claim(bytes: number, path: string): void {
    this.change(`append ${path}`)
    if (this.below(100) < this.failingAppends) throw failure(`could not write ${path}`)
    if (this.capacityBytes !== Number.POSITIVE_INFINITY && bytesOf(this.#root) + bytes > this.capacityBytes) throw new MillraceError('DISK_FULL', `There is no room to write ${path}.`, { retriable: true })
  }

  /** A file was synced, with all names that were changed before where the file system keeps a journal. */
  synced(until: number): void {
    if (this.#order === 'journal') this.commit(until, null)
  }

  get lastChange(): number {
    return this.#changes
  }

  commit(until: number, directory: Directory | null): void {
    const commitOne = (one: Directory): void => {
      const done = one.pending.filter(({ number }) => number <= until)
      one.pending = one.pending.filter(({ number }) => number > until)
      const stable = new Directory()
      stable.entries = one.stable
      for (const { names } of done) stable.apply(names)
      one.stable = stable.entries
    }
    if (directory !== null && this.#order === 'loose') return commitOne(directory)
    const visit = (one: Directory): void => {
      for (const child of new Set([...one.entries.values(), ...one.stable.values()])) if (child instanceof Directory) visit(child)
      commitOne(one)
    }
    visit(this.#root)
  }

  #set(directory: Directory, names: readonly (readonly [string, Node | null])[]): void {
    directory.pending.push({ number: ++this.#changes, names })
    directory.apply(names)
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path === '' ? [] : path.split('/')) node = node instanceof Directory ? node.entries.get(name) : undefined
    return node
  }

  #place(path: string): { readonly directory: Directory; readonly name: string } {
    const slash = path.lastIndexOf('/')
    const directory = this.#find(path.slice(0, Math.max(0, slash)))
    if (!(directory instanceof Directory)) throw failure(`there is no directory for ${path}`)
    return { directory, name: path.slice(slash + 1) }
  }
}

function failure(what: string): MillraceError {
  return new MillraceError('DISK_FAILED', `The storm disk failed: ${what}.`)
}

type Node = StormFile | Directory

interface NameChange {
  readonly number: number
  readonly names: readonly (readonly [name: string, node: Node | null])[]
}

class Directory {
  entries: Map<string, Node> = new Map<string, Node>()
  stable: Map<string, Node> = new Map<string, Node>()
  pending: NameChange[] = []

  apply(names: NameChange['names']): void {
    for (const [name, node] of names) {
      if (node === null) this.entries.delete(name)
      else this.entries.set(name, node)
    }
  }
}

/** Whoever waited for them is dead, and what they were to write is as dirty as before. */
function forgetSyncs(node: Node): void {
  if (node instanceof StormFile) node.forgetSyncs()
  else for (const child of new Set([...node.entries.values(), ...node.stable.values()])) forgetSyncs(child)
}

function bytesOf(node: Node): number {
  if (node instanceof StormFile) return node.size
  let bytes = 0
  for (const child of node.entries.values()) bytes += bytesOf(child)
  return bytes
}

class StormFile {
  #data: Buffer = Buffer.alloc(0)
  size = 0
  /** What is on the medium. */
  #stable: Buffer = Buffer.alloc(0)
  /** Pages that were changed and are not on the medium, as far as the operating system knows. */
  #dirty = new Set<number>()
  /** Pages that a sync under way writes. */
  readonly #syncing = new Map<number, number>()

  content(): Buffer {
    return this.#data.subarray(0, this.size)
  }

  write(bytes: Uint8Array): void {
    const end = this.size + bytes.length
    if (end > this.#data.length) this.#data = Buffer.concat([this.#data.subarray(0, this.size)], Math.max(end, 2 * this.#data.length, pageBytes))
    this.#data.set(bytes, this.size)
    this.#touch(this.size, end)
    this.size = end
  }

  overwrite(position: number, bytes: Uint8Array): void {
    this.#data.set(bytes, position)
    this.#touch(position, position + bytes.length)
  }

  truncate(size: number): void {
    if (size > this.size) return this.write(Buffer.alloc(size - this.size))
    this.#data.fill(0, size)
    this.size = size
    for (const page of this.#dirty) if (page * pageBytes >= size) this.#dirty.delete(page)
    this.#dirty.add(Math.floor(size / pageBytes))
  }

  #touch(from: number, end: number): void {
    for (let page = Math.floor(from / pageBytes); page * pageBytes < end; page++) this.#dirty.add(page)
  }

  /** What a sync that begins now will have written. */
  beginSync(): { readonly image: Buffer; readonly pages: readonly number[] } {
    const pages = [...this.#dirty]
    this.#dirty.clear()
    for (const page of pages) this.#syncing.set(page, (this.#syncing.get(page) ?? 0) + 1)
    return { image: Buffer.from(this.content()), pages }
  }

  /** Where it fails some pages may be on the medium; the others never will be, and a later sync says nothing of them. */
  endSync({ image, pages }: { readonly image: Buffer; readonly pages: readonly number[] }, isWritten: (page: number) => boolean, isSized: boolean): void {
    const written = new Set(pages.filter(isWritten))
    for (const page of pages) {
      const count = this.#syncing.get(page)! - 1
      if (count === 0) this.#syncing.delete(page)
      else this.#syncing.set(page, count)
    }
    this.#stable = merged(this.#stable, image, page => written.has(page), isSized ? image.length : this.#stable.length)
  }

  forgetSyncs(): void {
    for (const page of this.#syncing.keys()) this.#dirty.add(page)
    this.#syncing.clear()
  }

  survivor(mode: CrashMode, coin: () => boolean): StormFile {
    const next = new StormFile()
    const isNew = (page: number): boolean => mode !== 'nothing' && (this.#dirty.has(page) || this.#syncing.has(page)) && (mode === 'all' || coin())
    const size = mode === 'nothing' ? this.#stable.length : mode === 'all' || coin() ? this.size : this.#stable.length
    next.#stable = merged(this.#stable, this.content(), isNew, size)
    next.#data = Buffer.from(next.#stable)
    next.size = size
    return next
  }
}

/** Some pages of one and the others of another, cut or filled up with zeros. */
function merged(old: Buffer, latest: Buffer, isNew: (page: number) => boolean, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let page = 0; page * pageBytes < size; page++) {
    const source = isNew(page) ? latest : old
    if (page * pageBytes < source.length) source.copy(bytes, page * pageBytes, page * pageBytes, Math.min((page + 1) * pageBytes, size))
  }
  return bytes
}

class StormHandle implements DiskFile {
  readonly #disk: StormDisk
  readonly #file: StormFile
  readonly #path: string

  constructor(disk: StormDisk, file: StormFile, path: string) {
    this.#disk = disk
    this.#file = file
    this.#path = path
  }

  get size(): number {
    return this.#file.size
  }

  append(parts: readonly Uint8Array[]): void {
    this.#disk.claim(parts.reduce((sum, { length }) => sum + length, 0), this.#path)
    for (const part of parts) this.#file.write(part)
  }

  read(position: number, target: Uint8Array): number {
    if (this.#disk.isOff) throw failure('the power is off')
    return this.#file.content().copy(target, 0, position)
  }

  overwrite(position: number, bytes: Uint8Array): void {
    this.#disk.change(`overwrite ${this.#path}`)
    this.#file.overwrite(position, bytes)
  }

  truncate(size: number): void {
    this.#disk.change(`truncate ${this.#path}`)
    this.#file.truncate(size)
  }

  async sync(): Promise<void> {
    this.#disk.change(`sync ${this.#path}`)
    const begun = this.#file.beginSync()
    const until = this.#disk.lastChange
    await this.#disk.wait()
    if (this.#disk.below(100) < this.#disk.failingSyncs) {
      this.#file.endSync(begun, () => this.#disk.below(2) === 0, this.#disk.below(2) === 0)
      throw failure(`could not sync ${this.#path}`)
    }
    this.#file.endSync(begun, () => true, true)
    this.#disk.synced(until)
  }

  close(): void {}
}
