// What zstd's entropy coding stands on (RFC 8878, section 4): bits read backwards, tables of finite state entropy, Huffman tables.

import { MillraceError } from '../../core/error.ts'

/** A table of finite state entropy: for each state the symbol it stands for, and how the next state comes of it. */
export interface StateTable {
  readonly accuracyLog: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** For each value of `maxBits` bits the symbol that it begins with, and how many bits are that symbol's. */
export interface HuffmanTable {
  readonly maxBits: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

export function corruptZstd(why: string): MillraceError {
  return new MillraceError('CORRUPT_RECORD', `the zstd stream is broken: ${why}`)
}

/** Reads bits from the end of a section to its beginning; the highest bit that is set in the last byte is no part of them. */
export class BackwardBits {
  /** How many bits are left; below zero when more were asked for than there are, which read as zeros. */
  left: number
  readonly #bytes: Buffer

  /** @throws MillraceError CORRUPT_RECORD */
  constructor(bytes: Buffer) {
    const last = bytes[bytes.length - 1]
    if (last === undefined || last === 0) throw corruptZstd('bits without an end')
    this.#bytes = bytes
    this.left = (bytes.length - 1) * 8 + 31 - Math.clz32(last)
  }

  read(count: number): number {
    if (count > 25) return this.read(count - 16) * 65536 + this.read(16)
    this.left -= count
    return this.#at(this.left, count)
  }

  /** What `read` would give, without going on. */
  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  #at(start: number, count: number): number {
    if (start < 0) return count + start <= 0 ? 0 : this.#at(0, count + start) << -start
    const bytes = this.#bytes
    const index = start >> 3
    const word = bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24)
    return (word >>> (start & 7)) & ((1 << count) - 1)
  }
}

/** A table whose only state is one symbol. */
export function singleStateTable(symbol: number): StateTable {
  return { accuracyLog: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), bases: Uint16Array.of(0) }
}

/** A table from how often each symbol comes, in parts of 2 to the power of `accuracyLog`; -1: less than once. */
export function stateTable(frequencies: readonly number[], accuracyLog: number): StateTable {
  const size = 1 << accuracyLog
  const symbols = new Uint8Array(size)
  const next = new Uint16Array(frequencies.length)
  let high = size
  frequencies.forEach((frequency, symbol) => {
    if (frequency === -1) symbols[--high] = symbol
    next[symbol] = Math.abs(frequency)
  })
  const step = (size >> 1) + (size >> 3) + 3
  let position = 0
  frequencies.forEach((frequency, symbol) => {
    for (let i = 0; i < frequency; i++) {
      symbols[position] = symbol
      do position = (position + step) & (size - 1)
      while (position >= high)
    }
  })
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  for (let state = 0; state < size; state++) {
    const count = next[symbols[state]!]!++
    bits[state] = accuracyLog - (31 - Math.clz32(count))
    bases[state] = (count << bits[state]!) - size
  }
  return { accuracyLog, symbols, bits, bases }
}

/** Reads the description of a table; `length` is how many bytes it took. @throws MillraceError CORRUPT_RECORD */
export function readStateTable(bytes: Buffer, maxAccuracyLog: number, maxSymbol: number): { readonly table: StateTable; readonly length: number } {
  const bits = new ForwardBits(bytes)
  const accuracyLog = bits.read(4) + 5
  if (accuracyLog > maxAccuracyLog) throw corruptZstd('a table that is too fine')
  const frequencies: number[] = []
  let remaining = 1 << accuracyLog
  while (remaining > 0) {
    const frequency = readFrequency(bits, remaining)
    remaining -= Math.abs(frequency)
    frequencies.push(frequency)
    for (let zeros = frequency === 0 ? 3 : 0; zeros === 3;) {
      zeros = bits.read(2)
      for (let i = 0; i < zeros; i++) frequencies.push(0)
    }
    if (frequencies.length > maxSymbol + 1 || remaining < 0 || bits.isSpent()) throw corruptZstd('a table that does not add up')
  }
  return { table: stateTable(frequencies, accuracyLog), length: bits.bytesRead() }
}

function readFrequency(bits: ForwardBits, remaining: number): number {
  const count = 32 - Math.clz32(remaining + 1)
  const half = (1 << (count - 1)) - 1
  const threshold = (1 << count) - 1 - (remaining + 1)
  const low = bits.read(count - 1)
  if (low < threshold) return low - 1
  const value = low | (bits.read(1) << (count - 1))
  return (value > half ? value - threshold : value) - 1
}

/** Reads the description of a Huffman table; `length` is how many bytes it took. @throws MillraceError CORRUPT_RECORD */
export function readHuffmanTable(bytes: Buffer): { readonly table: HuffmanTable; readonly length: number } {
  const header = bytes[0]
  if (header === undefined) throw corruptZstd('no Huffman table')
  if (header < 128) {
    const weights = compressedWeights(bytes.subarray(1, 1 + header))
    return { table: huffmanTable(weights), length: 1 + header }
  }
  const count = header - 127
  const length = 1 + Math.ceil(count / 2)
  if (length > bytes.length) throw corruptZstd('half a Huffman table')
  const weights = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? bytes[1 + i / 2]! >> 4 : bytes[1 + (i - 1) / 2]! & 15))
  return { table: huffmanTable(weights), length }
}

const MAX_WEIGHTS = 255
const MAX_HUFFMAN_BITS = 11

/** Two states take turns, until the bits are spent. */
function compressedWeights(bytes: Buffer): readonly number[] {
  const { table, length } = readStateTable(bytes, 6, 255)
  const bits = new BackwardBits(bytes.subarray(length))
  const states = [bits.read(table.accuracyLog), bits.read(table.accuracyLog)]
  const weights: number[] = []
  for (let turn = 0; ; turn = 1 - turn) {
    const state = states[turn]!
    weights.push(table.symbols[state]!)
    states[turn] = table.bases[state]! + bits.read(table.bits[state]!)
    if (weights.length >= MAX_WEIGHTS) throw corruptZstd('a Huffman table of too many symbols')
    if (bits.left >= 0) continue
    weights.push(table.symbols[states[1 - turn]!]!)
    return weights
  }
}

/** The weight of the last symbol is what the others leave. */
function huffmanTable(given: readonly number[]): HuffmanTable {
  if (given.some(weight => weight > MAX_HUFFMAN_BITS)) throw corruptZstd('a Huffman table of codes that are too long')
  const total = given.reduce((sum, weight) => sum + (weight === 0 ? 0 : 2 ** (weight - 1)), 0)
  const maxBits = total === 0 ? MAX_HUFFMAN_BITS + 1 : 32 - Math.clz32(total)
  const rest = 2 ** maxBits - total
  if (maxBits > MAX_HUFFMAN_BITS || (rest & (rest - 1)) !== 0) throw corruptZstd('a Huffman table that does not add up')
  const weights = [...given, 32 - Math.clz32(rest)]
  const symbols = new Uint8Array(1 << maxBits)
  const bits = new Uint8Array(1 << maxBits)
  let position = 0
  for (let weight = 1; weight <= maxBits; weight++) {
    for (let symbol = 0; symbol < weights.length; symbol++) {
      if (weights[symbol] !== weight) continue
      const end = position + (1 << (weight - 1))
      symbols.fill(symbol, position, end)
      bits.fill(maxBits + 1 - weight, position, end)
      position = end
    }
  }
  return { maxBits, symbols, bits }
}

class ForwardBits {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  read(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++, this.#position++) value |= (((this.#bytes[this.#position >> 3] ?? 0) >> (this.#position & 7)) & 1) << i
    return value
  }

  /** Whether more was read than there is. */
  isSpent(): boolean {
    return this.#position > this.#bytes.length * 8
  }

  bytesRead(): number {
    return (this.#position + 7) >> 3
  }
}
