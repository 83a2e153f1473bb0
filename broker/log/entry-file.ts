// A file of fixed-size sorted entries, as both indexes are: in memory while it grows, read in place once it is sealed.

import { assert } from '../../core/error.ts'
import { crc32c } from '../wire/crc32c.ts'
import type { PooledFile } from '../disk/file-pool.ts'

/** Reads the key of the entry that begins at `at`. */
export type KeyReader = (buffer: Buffer, at: number) => number

/** How many entries, and the CRC-32C of their bytes. */
export interface EntrySum {
  readonly count: number
  readonly crc: number
}

export const noEntries: EntrySum = { count: 0, crc: 0 }

const initialEntries = 16

export class EntryFile {
  readonly file: PooledFile
  readonly entryBytes: number
  /** Entries, saved or not. */
  count = 0
  /** All entries, while this can be appended to; null where only the file has them. */
  #memory: Buffer | null = null
  #saved = 0
  /** Of the first entries, as far as they were summed. */
  #summed: EntrySum = noEntries

  constructor(file: PooledFile, entryBytes: number) {
    this.file = file
    this.entryBytes = entryBytes
  }

  /** Begins anew, forgetting what the file holds. */
  clear(): void {
    this.#memory = Buffer.allocUnsafeSlow(initialEntries * this.entryBytes)
    this.count = 0
    this.#saved = 0
    this.#summed = noEntries
    if (this.file.size > 0) this.file.truncate(0)
  }

  /** Takes the file as it is, to be read in place. False if it is not what was summed. */
  openSealed(sum: EntrySum): boolean {
    this.#memory = null
    this.count = this.#saved = sum.count
    this.#summed = sum
    return this.file.size === sum.count * this.entryBytes && this.#load(sum) !== null
  }

  /** Loads what was summed to go on behind it; what the file has beyond is dropped. False if it is not there. */
  openForAppend(sum: EntrySum): boolean {
    const loaded = this.#load(sum)
    if (loaded === null) return false
    this.#memory = loaded
    this.count = this.#saved = sum.count
    this.#summed = sum
    if (this.file.size !== sum.count * this.entryBytes) this.file.truncate(sum.count * this.entryBytes)
    return true
  }

  #load(sum: EntrySum): Buffer | null {
    const bytes = sum.count * this.entryBytes
    if (this.file.size < bytes) return null
    const loaded = Buffer.allocUnsafeSlow(Math.max(initialEntries * this.entryBytes, bytes))
    const read = bytes === 0 ? 0 : this.file.read(0, loaded.subarray(0, bytes))
    return read === bytes && crc32c(loaded, 0, bytes) === sum.crc ? loaded : null
  }

  /** What tells these entries from others. */
  get sum(): EntrySum {
    if (this.#memory === null) return this.#summed
    const from = this.#summed.count <= this.count ? this.#summed : noEntries
    const crc = crc32c(this.#memory, from.count * this.entryBytes, this.count * this.entryBytes, from.crc)
    return (this.#summed = { count: this.count, crc })
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
    if (this.#summed.count > count) this.#summed = noEntries
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

  /** Saves and frees the memory. Where it cannot be saved it stays in memory. */
  seal(): void {
    this.save()
    this.#summed = this.sum
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
