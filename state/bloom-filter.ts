// Knows, for certain, that a key was never written to disk: a Bloom filter in blocks of one cache line that grows with its keys.

import { murmur2 } from '../core/murmur2.ts'

const BLOCK_WORDS = 16
const BLOCK_BITS = BLOCK_WORDS * 32
const BITS_PER_KEY = 10
const PROBES = 6
const FIRST_CAPACITY = 32_768
/** Each layer takes so many times the keys of the one before: few layers, and what is full is never copied. */
const GROWTH = 4

interface Layer {
  readonly words: Uint32Array
  readonly blocks: number
  room: number
}

/** About one in fifty answers of `mayHold` is wrong, always to the side of yes. */
export class BloomFilter {
  #layers: Layer[]
  #capacity: number

  /** `expected` keys go into one layer. */
  constructor(expected = 0) {
    this.#capacity = Math.max(FIRST_CAPACITY, expected)
    this.#layers = [newLayer(this.#capacity)]
  }

  /** Memory held. */
  get bytes(): number {
    return this.#layers.reduce((sum, layer) => sum + layer.words.byteLength, 0)
  }

  /** False: the key was never added. */
  mayHold(key: Uint8Array): boolean {
    const hash = murmur2(key) >>> 0
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      if (holds(this.#layers[i]!, hash)) return true
    }
    return false
  }

  /** Adds `key[from…]`. Answers whether it is new, as far as the filter can tell. */
  add(key: Uint8Array, from = 0): boolean {
    const hash = murmur2(key, from) >>> 0
    for (const layer of this.#layers) {
      if (holds(layer, hash)) return false
    }
    let last = this.#layers[this.#layers.length - 1]!
    if (last.room === 0) {
      this.#capacity *= GROWTH
      last = newLayer(this.#capacity)
      this.#layers.push(last)
    }
    last.room--
    set(last, hash)
    return true
  }
}

function newLayer(capacity: number): Layer {
  const blocks = Math.ceil((capacity * BITS_PER_KEY) / BLOCK_BITS)
  return { words: new Uint32Array(blocks * BLOCK_WORDS), blocks, room: capacity }
}

function blockOf(layer: Layer, hash: number): number {
  return Math.floor((hash / 0x1_0000_0000) * layer.blocks) * BLOCK_WORDS
}

/** The place in a block must not follow from the block: other bits, mixed again. */
function mixed(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
}

function holds(layer: Layer, hash: number): boolean {
  const block = blockOf(layer, hash)
  let bits = mixed(hash)
  const step = (bits >>> 23) | 1
  for (let probe = 0; probe < PROBES; probe++) {
    if ((layer.words[block + ((bits >>> 5) & (BLOCK_WORDS - 1))]! & (1 << (bits & 31))) === 0) return false
    bits += step
  }
  return true
}

function set(layer: Layer, hash: number): void {
  const block = blockOf(layer, hash)
  let bits = mixed(hash)
  const step = (bits >>> 23) | 1
  for (let probe = 0; probe < PROBES; probe++) {
    layer.words[block + ((bits >>> 5) & (BLOCK_WORDS - 1))]! |= 1 << (bits & 31)
    bits += step
  }
}
