// The bytes of a file in memory, and how many of them a power cut would leave.

import type { Timestamp } from '../../core/record.ts'

const smallestChunkBytes = 4096
const chunkBytes = 256 * 1024

/** Bytes in chunks: full ones of 256 KiB, the last one growing by doubling, so that a small file is small and a large one is never copied. */
export class MemoryContent {
  readonly #chunks: Buffer[] = []
  size = 0
  synced = 0
  modifiedAt: Timestamp | null = null
  /** Where the bytes begin that a failed sync has lost: no later one brings them to the medium, until they are written anew. */
  lostFrom: number = Number.POSITIVE_INFINITY

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const within = this.size % chunkBytes
      const chunk = this.#room(within + Math.min(bytes.length - done, chunkBytes - within))
      const count = Math.min(bytes.length - done, chunk.length - within)
      chunk.set(bytes.subarray(done, done + count), within)
      done += count
      this.size += count
    }
  }

  read(position: number, target: Uint8Array): number {
    const end = Math.min(this.size, position + target.length)
    let at = position
    while (at < end) {
      const chunk = this.#chunks[Math.floor(at / chunkBytes)]!
      const within = at % chunkBytes
      const count = Math.min(end - at, chunkBytes - within)
      target.set(chunk.subarray(within, within + count), at - position)
      at += count
    }
    return Math.max(0, end - position)
  }

  /** It is dirty again, as far as the medium goes. */
  overwrite(position: number, bytes: Uint8Array): void {
    const { size } = this
    this.size = position
    this.append(bytes)
    this.size = size
    if (position <= this.lostFrom && position + bytes.length === size) this.lostFrom = Number.POSITIVE_INFINITY
  }

  slice(start: number, end: number = this.size): Buffer {
    const bytes = Buffer.allocUnsafeSlow(end - start)
    this.read(start, bytes)
    return bytes
  }

  truncate(size: number): void {
    if (size > this.size) return this.append(Buffer.alloc(size - this.size))
    this.size = size
    this.synced = Math.min(this.synced, size)
    if (size <= this.lostFrom) this.lostFrom = Number.POSITIVE_INFINITY
    this.#chunks.length = Math.ceil(size / chunkBytes)
  }

  loseUnsynced(): void {
    if (this.synced < this.size) this.lostFrom = Math.min(this.lostFrom, this.synced)
  }

  flip(position: number): void {
    this.#chunks[Math.floor(position / chunkBytes)]![position % chunkBytes]! ^= 1
  }

  /** The chunk that the next byte goes to, with room up to `needed` bytes of it. */
  #room(needed: number): Buffer {
    const index = Math.floor(this.size / chunkBytes)
    const old = this.#chunks[index]
    if (old !== undefined && old.length >= needed) return old
    let capacity = old === undefined ? smallestChunkBytes : old.length
    while (capacity < needed) capacity *= 2
    const chunk = Buffer.allocUnsafeSlow(capacity)
    if (old !== undefined) chunk.set(old)
    this.#chunks[index] = chunk
    return chunk
  }
}
