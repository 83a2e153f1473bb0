// Collects writes on their way to disk, drops those that were overwritten, and gives the rest in the order of their keys: LevelDB takes them at half the cost so.

import { ScratchBytes } from './byte-forms.ts'

/** Called in order of the keys; the bytes are good during the call. A null value is a delete. */
export type RunEmit = (key: Buffer, value: Buffer | null) => void

const FIRST_BYTES = 1 << 20
/** Before each record: length of its key and of its value (-1: a delete), int32 each. Records begin at multiples of 4. */
const HEADER_BYTES = 8
const COPY_BY_HAND = 24
const LONGEST_SCRATCH = 256

export class SortedRun {
  readonly #limitBytes: number
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #words: Int32Array = wordsOf(this.#bytes)
  #used = 0
  /** Where each record begins, as they came. */
  #starts = new Uint32Array(4096)
  #count = 0
  #shortest = Infinity
  #longest = 0
  readonly #keyScratch = new ScratchBytes()
  readonly #valueScratch = new ScratchBytes()

  /** Full at `limitBytes` of keys, values and headers. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get count(): number {
    return this.#count
  }

  get full(): boolean {
    return this.#used >= this.#limitBytes
  }

  /** Begins a record; its key and then its value are to be appended. Value length -1: a delete. */
  begin(keyLength: number, valueLength: number): void {
    const start = (this.#used + 3) & ~3
    this.#reserve(start + HEADER_BYTES + keyLength + Math.max(0, valueLength))
    if (this.#count === this.#starts.length) this.#starts = doubled(this.#starts)
    this.#starts[this.#count++] = start
    this.#words[start >> 2] = keyLength
    this.#words[(start >> 2) + 1] = valueLength
    this.#used = start + HEADER_BYTES
    if (keyLength < this.#shortest) this.#shortest = keyLength
    if (keyLength > this.#longest) this.#longest = keyLength
  }

  /** A whole record. A null value is a delete. */
  add(key: Uint8Array, value: Uint8Array | null): void {
    this.begin(key.length, value === null ? -1 : value.length)
    this.append(key, 0, key.length)
    if (value !== null) this.append(value, 0, value.length)
  }

  appendByte(byte: number): void {
    this.#bytes[this.#used++] = byte
  }

  append(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes
    let at = this.#used
    if (end - start > COPY_BY_HAND) bytes.set(from.subarray(start, end), at)
    else for (let i = start; i < end; i++) bytes[at++] = from[i]!
    this.#used += end - start
  }

  appendInt64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000)
    this.#appendUint32(high)
    this.#appendUint32(value - high * 0x1_0000_0000)
  }

  #appendUint32(value: number): void {
    const bytes = this.#bytes
    const at = this.#used
    bytes[at] = value >>> 24
    bytes[at + 1] = (value >>> 16) & 255
    bytes[at + 2] = (value >>> 8) & 255
    bytes[at + 3] = value & 255
    this.#used = at + 4
  }

  /** The records' places by key, those of one key as they came. */
  sorted(): Uint32Array {
    const common = this.#commonPrefix()
    let order = this.#starts.slice(0, this.#count)
    if (this.#longest > common + 4) order = this.#sortedByWord(order, common + 4)
    order = this.#sortedByWord(order, common)
    if (this.#longest > common + 8 || this.#shortest < this.#longest) this.#sortRest(order, common)
    return order
  }

  /** The last record of each key, in order, from `order[from]` on, about `most` of them. Answers where to go on. */
  emit(order: Uint32Array, from: number, most: number, emit: RunEmit): number {
    const end = Math.min(order.length, from + most)
    for (let i = from; i < end; i++) {
      const start = order[i]!
      if (i + 1 < order.length && this.#sameKey(start, order[i + 1]!)) continue
      const keyStart = start + HEADER_BYTES
      const valueStart = keyStart + this.#words[start >> 2]!
      const valueLength = this.#words[(start >> 2) + 1]!
      emit(this.#view(this.#keyScratch, keyStart, valueStart), valueLength < 0 ? null : this.#view(this.#valueScratch, valueStart, valueStart + valueLength))
    }
    return end
  }

  /** A stable radix sort by the four key bytes from `offset` on, two at a time. */
  #sortedByWord(order: Uint32Array<ArrayBuffer>, offset: number): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(order.length)
    for (let i = 0; i < order.length; i++) words[i] = this.#word(order[i]!, offset)
    const low = digitSort(order, words, 0)
    return digitSort(low.order, low.words, 16).order
  }

  /** Zeros stand behind a key's end; the last pass tells such keys from those that have zeros there. */
  #word(start: number, offset: number): number {
    const bytes = this.#bytes
    const at = start + HEADER_BYTES + offset
    const end = start + HEADER_BYTES + this.#words[start >> 2]!
    if (at + 4 <= end) return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    let word = 0
    for (let i = 0; i < 4; i++) word = word * 256 + (at + i < end ? bytes[at + i]! : 0)
    return word
  }

  /** Runs of equal words are sorted by comparing what is left. */
  #sortRest(order: Uint32Array, common: number): void {
    for (let from = 0; from < order.length; ) {
      const high = this.#word(order[from]!, common)
      const low = this.#word(order[from]!, common + 4)
      let to = from + 1
      while (to < order.length && this.#word(order[to]!, common) === high && this.#word(order[to]!, common + 4) === low) to++
      if (to - from > 1) order.set([...order.subarray(from, to)].sort((left, right) => this.#compare(left, right) || left - right), from)
      from = to
    }
  }

  #compare(left: number, right: number): number {
    const leftKey = left + HEADER_BYTES
    const rightKey = right + HEADER_BYTES
    return this.#bytes.compare(this.#bytes, rightKey, rightKey + this.#words[right >> 2]!, leftKey, leftKey + this.#words[left >> 2]!)
  }

  #sameKey(left: number, right: number): boolean {
    const length = this.#words[left >> 2]!
    if (length !== this.#words[right >> 2]) return false
    const bytes = this.#bytes
    for (let i = HEADER_BYTES + length - 1; i >= HEADER_BYTES; i--) if (bytes[left + i] !== bytes[right + i]) return false
    return true
  }

  /** Number of bytes that all keys begin with. */
  #commonPrefix(): number {
    const bytes = this.#bytes
    let common = this.#count === 0 ? 0 : this.#shortest
    for (let i = 1; i < this.#count; i++) {
      const key = this.#starts[i]! + HEADER_BYTES
      let same = 0
      while (same < common && bytes[HEADER_BYTES + same] === bytes[key + same]) same++
      common = same
    }
    return common
  }

  #view(scratch: ScratchBytes, start: number, end: number): Buffer {
    const length = end - start
    if (length > LONGEST_SCRATCH) return this.#bytes.subarray(start, end)
    const view = scratch.view(length)
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) view[i] = bytes[start + i]!
    return view
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max((bytes + 3) & ~3, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#used)
    this.#bytes = larger
    this.#words = wordsOf(larger)
  }
}

/** Stable, by sixteen bits of each word. */
function digitSort(order: Uint32Array<ArrayBuffer>, words: Uint32Array<ArrayBuffer>, shift: number): { order: Uint32Array<ArrayBuffer>; words: Uint32Array<ArrayBuffer> } {
  const ends = new Uint32Array(65_537)
  for (let i = 0; i < words.length; i++) ends[((words[i]! >>> shift) & 0xffff) + 1]!++
  if (ends.includes(words.length)) return { order, words }
  for (let digit = 0; digit < 65_536; digit++) ends[digit + 1]! += ends[digit]!
  const sorted = { order: new Uint32Array(order.length), words: new Uint32Array(words.length) }
  for (let i = 0; i < words.length; i++) {
    const at = ends[(words[i]! >>> shift) & 0xffff]!++
    sorted.order[at] = order[i]!
    sorted.words[at] = words[i]!
  }
  return sorted
}

function wordsOf(bytes: Buffer): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
}

function doubled(list: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(list.length * 2)
  larger.set(list)
  return larger
}
