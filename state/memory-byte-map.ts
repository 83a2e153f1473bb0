// The ordered byte map in memory: sorted chunks of keys, for tests and simulations of what is on disk otherwise.

import { asBuffer, latin1 } from './byte-forms.ts'
import type { ByteBatch, ByteEntry, ByteMap, ByteRange } from './byte-map.ts'

/** Keys in order, as latin1; `values` beside them. One that a scan has seen is not changed any more, but replaced. */
interface Chunk {
  readonly keys: string[]
  readonly values: Buffer[]
  scanned: boolean
}

const MOST_IN_CHUNK = 512

export class MemoryByteMap implements ByteMap {
  /** None is empty, except an only one. */
  #chunks: Chunk[] = [{ keys: [], values: [], scanned: false }]
  #bytes = 0

  get(key: Uint8Array): Buffer | null {
    const order = latin1(key)
    const chunk = this.#chunks[this.#chunkOf(order)]!
    const at = position(chunk.keys, order)
    return chunk.keys[at] === order ? chunk.values[at]! : null
  }

  batch(): ByteBatch {
    return new MemoryBatch(this)
  }

  async *scan(range: ByteRange): AsyncIterable<ByteEntry> {
    yield* this.#entries(range)
  }

  *scanSync(range: ByteRange): Iterable<ByteEntry> {
    yield* this.#entries(range)
  }

  async clear(range: ByteRange, limit: number = Infinity): Promise<void> {
    let left = limit
    for (const { key } of this.#entries(range)) {
      if (left-- <= 0) return
      this.delete(latin1(key))
    }
  }

  async approximateBytes(): Promise<number> {
    return this.#bytes
  }

  async close(): Promise<void> {}

  put(order: string, value: Buffer): void {
    const index = this.#chunkOf(order)
    const chunk = this.#ownChunk(index)
    const at = position(chunk.keys, order)
    if (chunk.keys[at] === order) {
      this.#bytes += value.length - chunk.values[at]!.length
      chunk.values[at] = value
      return
    }
    chunk.keys.splice(at, 0, order)
    chunk.values.splice(at, 0, value)
    this.#bytes += order.length + value.length
    if (chunk.keys.length > MOST_IN_CHUNK) this.#split(index)
  }

  delete(order: string): void {
    const index = this.#chunkOf(order)
    const chunk = this.#ownChunk(index)
    const at = position(chunk.keys, order)
    if (chunk.keys[at] !== order) return
    this.#bytes -= order.length + chunk.values[at]!.length
    chunk.keys.splice(at, 1)
    chunk.values.splice(at, 1)
    if (chunk.keys.length === 0 && this.#chunks.length > 1) this.#chunks.splice(index, 1)
  }

  #split(index: number): void {
    const chunk = this.#chunks[index]!
    const half = chunk.keys.length >>> 1
    this.#chunks.splice(index + 1, 0, { keys: chunk.keys.splice(half), values: chunk.values.splice(half), scanned: false })
  }

  /** Index of the chunk that holds the key or would. */
  #chunkOf(order: string): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#chunks[middle]!.keys[0]! <= order) low = middle
      else high = middle - 1
    }
    return low
  }

  #ownChunk(index: number): Chunk {
    const chunk = this.#chunks[index]!
    if (!chunk.scanned) return chunk
    return (this.#chunks[index] = { keys: chunk.keys.slice(), values: chunk.values.slice(), scanned: false })
  }

  /** Later writes do not show. */
  *#entries(range: ByteRange): Generator<ByteEntry, void, undefined> {
    const from = latin1(range.from)
    const to = latin1(range.to)
    if (from >= to) return
    const chunks = this.#chunks.slice(this.#chunkOf(from), this.#chunkOf(to) + 1)
    for (const chunk of chunks) chunk.scanned = true
    if (range.order === 'descending') chunks.reverse()
    for (const { keys, values } of chunks) {
      const begin = position(keys, from)
      const end = position(keys, to)
      for (let i = begin; i < end; i++) {
        const at = range.order === 'descending' ? begin + end - 1 - i : i
        yield { key: Buffer.from(keys[at]!, 'latin1'), value: values[at]! }
      }
    }
  }
}

class MemoryBatch implements ByteBatch {
  readonly #map: MemoryByteMap
  #writes: { readonly order: string; readonly value: Buffer | null }[] = []

  constructor(map: MemoryByteMap) {
    this.#map = map
  }

  get length(): number {
    return this.#writes.length
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#writes.push({ order: latin1(key), value: Buffer.from(asBuffer(value)) })
  }

  delete(key: Uint8Array): void {
    this.#writes.push({ order: latin1(key), value: null })
  }

  async write(): Promise<void> {
    for (const { order, value } of this.#writes) {
      if (value === null) this.#map.delete(order)
      else this.#map.put(order, value)
    }
  }
}

/** Of the first key at or behind `order`. */
function position(keys: readonly string[], order: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < order) low = middle + 1
    else high = middle
  }
  return low
}
