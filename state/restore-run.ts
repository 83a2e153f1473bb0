// Collects the records of a changelog, drops those that were overwritten, and gives the rest in the order of their keys: LevelDB takes them best so.

import { ScratchBytes } from './byte-forms.ts'

/** Called in order of the keys; the bytes are good during the call. A null value is a delete. */
export type RestoreEmit = (key: Buffer, value: Buffer | null) => void

/** Indexes must fit beside four bytes of key into the 52 exact bits of a double. */
const MOST_RECORDS = 1 << 20
const FIRST_BYTES = 1 << 20
const COPY_BY_HAND = 24

export class RestoreRun {
  readonly #limitBytes: number
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #used = 0
  #count = 0
  /** Of each record: where its key begins, how long it is, and how long the value behind it is, -1 for a delete. */
  #starts = new Int32Array(4096)
  #keyLengths = new Int32Array(4096)
  #valueLengths = new Int32Array(4096)
  /** Bytes that all keys begin with. */
  #common = 0
  #scratch: { readonly key: ScratchBytes; readonly value: ScratchBytes } = { key: new ScratchBytes(), value: new ScratchBytes() }

  /** Full at `limitBytes` of keys and values. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get count(): number {
    return this.#count
  }

  get full(): boolean {
    return this.#used >= this.#limitBytes || this.#count === MOST_RECORDS
  }

  /** Makes room for one record; its key and then its value are to be written to `buffer` from `position` on. Value length -1: a delete. */
  begin(keyLength: number, valueLength: number): void {
    const at = this.#used
    this.#reserve(at + keyLength + Math.max(0, valueLength))
    const index = this.#count++
    if (index === this.#starts.length) this.#growIndex()
    this.#starts[index] = at
    this.#keyLengths[index] = keyLength
    this.#valueLengths[index] = valueLength
  }

  appendByte(byte: number): void {
    this.#bytes[this.#used++] = byte
  }

  append(from: Buffer, start: number, end: number): void {
    const bytes = this.#bytes
    let at = this.#used
    if (end - start > COPY_BY_HAND) from.copy(bytes, at, start, end)
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

  /** The last record of each key, in the keys' unsigned order, `from` (an index of `order`) on until `emitted` says enough. Answers where to go on. */
  emit(order: Uint32Array, from: number, most: number, emit: RestoreEmit): number {
    const end = Math.min(order.length, from + most)
    for (let i = from; i < end; i++) {
      const index = order[i]!
      if (i + 1 < order.length && this.#sameKey(index, order[i + 1]!)) continue
      const start = this.#starts[index]!
      const valueStart = start + this.#keyLengths[index]!
      const valueLength = this.#valueLengths[index]!
      emit(this.#view(this.#scratch.key, start, valueStart), valueLength < 0 ? null : this.#view(this.#scratch.value, valueStart, valueStart + valueLength))
    }
    return end
  }

  /** Indexes of the records by key, equal keys as they came. */
  sorted(): Uint32Array {
    this.#common = this.#commonPrefix()
    const lengths = this.#keyLengths.subarray(0, this.#count)
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0)
    const shortest = lengths.reduce((least, length) => Math.min(least, length), longest)
    let order: Uint32Array = Uint32Array.from({ length: this.#count }, (_, index) => index)
    if (longest > this.#common + 4) order = this.#sortedByWord(order, this.#common + 4)
    order = this.#sortedByWord(order, this.#common)
    if (longest > this.#common + 8 || shortest < longest) this.#sortRest(order)
    return order
  }

  /** Sorts by the four key bytes from `offset` on, keeping the order of equals: the bytes and the rank in one double each, which sort natively. */
  #sortedByWord(order: Uint32Array, offset: number): Uint32Array {
    const keys = new Float64Array(order.length)
    for (let rank = 0; rank < order.length; rank++) keys[rank] = this.#word(order[rank]!, offset) * MOST_RECORDS + rank
    keys.sort()
    const sorted = new Uint32Array(order.length)
    for (let rank = 0; rank < keys.length; rank++) sorted[rank] = order[keys[rank]! % MOST_RECORDS]!
    return sorted
  }

  /** Zeros stand behind a key's end; the last pass tells such keys from those that have zeros there. */
  #word(index: number, offset: number): number {
    const bytes = this.#bytes
    const start = this.#starts[index]!
    const at = start + offset
    const end = start + this.#keyLengths[index]!
    if (at + 4 <= end) return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    let word = 0
    for (let i = 0; i < 4; i++) word = word * 256 + (at + i < end ? bytes[at + i]! : 0)
    return word
  }

  /** Runs of equal words are sorted by comparing what is left. */
  #sortRest(order: Uint32Array): void {
    for (let from = 0; from < order.length; ) {
      let to = from + 1
      while (to < order.length && this.#sameWords(order[from]!, order[to]!)) to++
      if (to - from > 1) order.set([...order.subarray(from, to)].sort((left, right) => this.#compare(left, right) || left - right), from)
      from = to
    }
  }

  #sameWords(left: number, right: number): boolean {
    return this.#word(left, this.#common) === this.#word(right, this.#common) && this.#word(left, this.#common + 4) === this.#word(right, this.#common + 4)
  }

  #compare(left: number, right: number): number {
    const leftStart = this.#starts[left]!
    const rightStart = this.#starts[right]!
    return this.#bytes.compare(this.#bytes, rightStart, rightStart + this.#keyLengths[right]!, leftStart, leftStart + this.#keyLengths[left]!)
  }

  #sameKey(left: number, right: number): boolean {
    const length = this.#keyLengths[left]!
    if (length !== this.#keyLengths[right]) return false
    const a = this.#starts[left]!
    const b = this.#starts[right]!
    for (let i = length - 1; i >= 0; i--) if (this.#bytes[a + i] !== this.#bytes[b + i]) return false
    return true
  }

  #commonPrefix(): number {
    let common = this.#keyLengths[0] ?? 0
    for (let index = 1; index < this.#count; index++) {
      const start = this.#starts[index]!
      common = Math.min(common, this.#keyLengths[index]!)
      let same = 0
      while (same < common && this.#bytes[same] === this.#bytes[start + same]) same++
      common = same
    }
    return common
  }

  #view(scratch: ScratchBytes, start: number, end: number): Buffer {
    const length = end - start
    if (length > 256) return this.#bytes.subarray(start, end)
    const view = scratch.view(length)
    for (let i = 0; i < length; i++) view[i] = this.#bytes[start + i]!
    return view
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#used)
    this.#bytes = larger
  }

  #growIndex(): void {
    this.#starts = doubled(this.#starts)
    this.#keyLengths = doubled(this.#keyLengths)
    this.#valueLengths = doubled(this.#valueLengths)
  }
}

function doubled(list: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(list.length * 2)
  larger.set(list)
  return larger
}
