// Keeps at most so many files open at once: the one used longest ago is closed and opened again when it is needed.

import { assert, MillraceError } from '../../core/error.ts'
import { isDiskFull, type Disk, type DiskFile } from './disk.ts'

export class FilePool {
  readonly #disk: Disk
  readonly #maxOpen: number
  /** Open files, the one used longest ago first. */
  readonly #open = new Set<PooledFile>()

  readonly #onFull: () => void
  readonly #onWritten: () => void

  /** `onFull` hears of every write that found no room, `onWritten` of the others. */
  constructor(disk: Disk, maxOpen = 1000, onFull: () => void = () => {}, onWritten: () => void = () => {}) {
    assert(maxOpen > 0, 'a file pool needs room for one file')
    this.#disk = disk
    this.#maxOpen = maxOpen
    this.#onFull = onFull
    this.#onWritten = onWritten
  }

  /** A file that opens itself when it is used. Created when it is not there. */
  file(path: string): PooledFile {
    return new PooledFile(this, this.#disk, path)
  }

  get openFiles(): number {
    return this.#open.size
  }

  /** @internal */
  used(file: PooledFile): void {
    this.#open.delete(file)
    this.#open.add(file)
    if (this.#open.size <= this.#maxOpen) return
    for (const other of this.#open) {
      if (this.#open.size <= this.#maxOpen) return
      if (other !== file && other.idle) other.close()
    }
  }

  /** @internal */
  written(): void {
    this.#onWritten()
  }

  /** @internal */
  failed(error: unknown): void {
    if (isDiskFull(error)) this.#onFull()
  }

  /** @internal */
  closed(file: PooledFile): void {
    this.#open.delete(file)
  }
}

/** Closing one is not an end: the next use opens it again. */
export class PooledFile implements DiskFile {
  readonly #pool: FilePool
  readonly #disk: Disk
  #path: string
  /** It was removed, and its bytes are freed at any time: nothing is made in its place. */
  #isDiscarded = false
  #file: DiskFile | null = null
  #syncing = 0

  constructor(pool: FilePool, disk: Disk, path: string) {
    this.#pool = pool
    this.#disk = disk
    this.#path = path
  }

  get path(): string {
    return this.#path
  }

  /** It was removed: what is left of it has another name now. */
  discarded(path: string): void {
    this.close()
    this.#path = path
    this.#isDiscarded = true
  }

  get size(): number {
    return this.#file !== null ? this.#file.size : (this.#disk.size(this.path) ?? 0)
  }

  /** A file with a sync under way stays open. */
  get idle(): boolean {
    return this.#syncing === 0
  }

  append(parts: readonly Uint8Array[]): void {
    try {
      this.#opened().append(parts)
      this.#pool.written()
    } catch (error) {
      this.#pool.failed(error)
      throw error
    }
  }

  read(position: number, target: Uint8Array): number {
    return this.#opened().read(position, target)
  }

  overwrite(position: number, bytes: Uint8Array): void {
    this.#opened().overwrite(position, bytes)
  }

  truncate(size: number): void {
    this.#opened().truncate(size)
  }

  /** What was removed need not be on the medium. */
  async sync(): Promise<void> {
    if (this.#isDiscarded) return
    const file = this.#opened()
    this.#syncing++
    try {
      await file.sync()
    } catch (error) {
      this.#pool.failed(error)
      throw error
    } finally {
      this.#syncing--
      if (this.#file !== file && this.#syncing === 0) file.close()
    }
  }

  close(): void {
    const file = this.#file
    if (file === null) return
    this.#file = null
    this.#pool.closed(this)
    if (this.#syncing === 0) file.close()
  }

  #opened(): DiskFile {
    if (this.#isDiscarded && this.#file === null && this.#disk.size(this.path) === null) throw new MillraceError('DISK_FAILED', `The file ${this.path} was removed.`)
    const file = (this.#file ??= this.#disk.open(this.path))
    this.#pool.used(this)
    return file
  }
}
