// A file of fixed-size sorted entries, as both indexes are: in memory while it grows, read in place once it is sealed.

import { assert } from '../../core/error.ts'
import type { PooledFile } from '../disk/file-pool.ts'

/** Reads the key of the entry that begins at `at`. */
export type KeyReader = (buffer: Buffer, at: number) => number

const initialEntries = 16

export class EntryFile {
  readonly file: PooledFile
  readonly entryBytes: number
  /** Entries, saved or not. */
  count = 0
  /** All entries, while this can be appended to; null where only the file has them. */
  #memory: Buffer | null = null
  #saved = 0

  constructor(file: PooledFile, entryBytes: number) {
    this.file = file
    this.entryBytes = entryBytes
  }

  /** Begins anew, forgetting what the file holds. */
  clear(): void {
    this.#memory = Buffer.allocUnsafeSlow(initialEntries * this.entryBytes)
    this.count = 0
    this.#saved = 0
    if (this.file.size > 0) this.file.truncate(0)
  }

  /** Takes the file as it is, to be read in place. False if its size is not that of whole entries. */
  openSealed(): boolean {
    const { size } = this.file
    this.#memory = null
    this.count = this.#saved = Math.floor(size / this.entryBytes)
    return size % this.entryBytes === 0
  }

  /** Loads the file to go on appending; entries from the first that fails `keep` on are dropped. */
  openForAppend(keep: (buffer: Buffer, at: number) => boolean): void {
    const whole = Math.floor(this.file.size / this.entryBytes)
    const loaded = Buffer.allocUnsafeSlow(Math.max(initialEntries, whole) * this.entryBytes)
    const read = Math.floor(this.file.read(0, loaded.subarray(0, whole * this.entryBytes)) / this.entryBytes)
    let count = 0
    while (count < read && keep(loaded, count * this.entryBytes)) count++
    this.#memory = loaded
    this.count = this.#saved = count
    if (this.file.size !== count * this.entryBytes) this.file.truncate(count * this.entryBytes)
  }

  /** Makes room for one entry and answers where to write it. */
  append(): { readonly buffer: Buffer; readonly at: number } {
    assert(this.#memory !== null, `append to the sealed index ${this.file.path}`)
    const at = this.count++ * this.entryBytes
    if (at === this.#memory.length) {
      const grown = Buffer.allocUnsafeSlow(this.#memory.length * 2)
      grown.set(this.#memory)
      this.#memory = grown
    }
    return { buffer: this.#memory, at }
  }

  /** Drops entries at the end. */
  truncate(count: number): void {
    assert(this.#memory !== null, `truncate of the sealed index ${this.file.path}`)
    if (count >= this.count) return
    this.count = count
    if (this.#saved <= count) return
    this.#saved = count
    this.file.truncate(count * this.entryBytes)
  }

  /** Hands entries that the file lacks to it; false if there were none. */
  save(): boolean {
    if (this.#memory === null || this.#saved === this.count) return false
    this.file.append([this.#memory.subarray(this.#saved * this.entryBytes, this.count * this.entryBytes)])
    this.#saved = this.count
    return true
  }

  /** Saves and frees the memory. */
  seal(): void {
    this.save()
    this.#memory = null
  }

  /** The entry, in a buffer that holds until the next call. */
  entry(index: number): { readonly buffer: Buffer; readonly at: number } {
    if (this.#memory !== null) return { buffer: this.#memory, at: index * this.entryBytes }
    const scratch = scratchEntry.subarray(0, this.entryBytes)
    const read = this.file.read(index * this.entryBytes, scratch)
    if (read < this.entryBytes) scratch.fill(0)
    return { buffer: scratch, at: 0 }
  }

  /** Index of the last entry whose key is at most `target`; -1 if there is none. */
  floor(target: number, key: KeyReader): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const { buffer, at } = this.entry(middle)
      if (key(buffer, at) <= target) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

const scratchEntry: Buffer = Buffer.alloc(64)
