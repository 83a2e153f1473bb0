// The compressed blocks of a zstd frame (RFC 8878, section 3.1.1.3): literals, and sequences that copy them and what was there before.

import type { ZstdOutput } from './compression-zstd-output.ts'
import { BackwardBits, corruptZstd, readHuffmanTable, readStateTable, singleStateTable, stateTable, type HuffmanTable, type StateTable } from './compression-zstd-tables.ts'

export const MAX_BLOCK_BYTES: number = 128 * 1024

interface Extra {
  readonly base: readonly number[]
  readonly bits: readonly number[]
}

const literalLengths: Extra = withExtraBits(0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const matchLengths: Extra = withExtraBits(3, [...new Array<number>(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

/** Each code begins where the one before it ends. */
function withExtraBits(first: number, bits: readonly number[]): Extra {
  const base: number[] = []
  for (const [code] of bits.entries()) base.push(code === 0 ? first : base[code - 1]! + 2 ** bits[code - 1]!)
  return { base, bits }
}

interface TableKind {
  readonly maxAccuracyLog: number
  readonly maxSymbol: number
  readonly usual: StateTable
}

const literalLengthTables: TableKind = { maxAccuracyLog: 9, maxSymbol: 35, usual: stateTable([4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6) }
const offsetTables: TableKind = { maxAccuracyLog: 8, maxSymbol: 31, usual: stateTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5) }
const matchLengthTables: TableKind = { maxAccuracyLog: 9, maxSymbol: 52, usual: stateTable([1, 4, 3, 2, 2, 2, 2, 2, 2, ...new Array<number>(37).fill(1), -1, -1, -1, -1, -1, -1, -1], 6) }

/** The compressed blocks of one frame: tables and offsets go over from block to block. */
export class FrameBlocks {
  readonly #output: ZstdOutput
  readonly #frameStart: number
  #huffman: HuffmanTable | undefined
  #tables: (StateTable | undefined)[] = [undefined, undefined, undefined]
  #offsets: [number, number, number] = [1, 4, 8]

  constructor(output: ZstdOutput) {
    this.#output = output
    this.#frameStart = output.length
  }

  read(bytes: Buffer): void {
    const { literals, length } = this.#literals(bytes)
    this.#sequences(bytes.subarray(length), literals)
  }

  #literals(bytes: Buffer): { readonly literals: Buffer; readonly length: number } {
    if (bytes.length < 2) throw corruptZstd('half a block')
    const kind = bytes[0]! & 3
    const format = (bytes[0]! >> 2) & 3
    if (kind >= 2) return this.#compressedLiterals(bytes, kind, format)
    const headerLength = format === 1 ? 2 : format === 3 ? 3 : 1
    if (bytes.length < headerLength + kind) throw corruptZstd('half a block')
    const size = bytes.readUIntLE(0, headerLength) >> (headerLength === 1 ? 3 : 4)
    if (size > MAX_BLOCK_BYTES || (kind === 0 && headerLength + size > bytes.length)) throw corruptZstd('literals that are too long')
    if (kind === 1) return { literals: Buffer.alloc(size, bytes[headerLength]), length: headerLength + 1 }
    return { literals: bytes.subarray(headerLength, headerLength + size), length: headerLength + size }
  }

  #compressedLiterals(bytes: Buffer, kind: number, format: number): { readonly literals: Buffer; readonly length: number } {
    const headerLength = format < 2 ? 3 : format + 2
    const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18
    if (bytes.length < headerLength) throw corruptZstd('half a block')
    const header = bytes.readUIntLE(0, headerLength)
    const size = Math.floor(header / 16) % 2 ** sizeBits
    const end = headerLength + Math.floor(header / 2 ** (4 + sizeBits))
    if (end > bytes.length || size > MAX_BLOCK_BYTES) throw corruptZstd('literals that are too long')
    let start = headerLength
    if (kind === 2) {
      const { table, length } = readHuffmanTable(bytes.subarray(start, end))
      this.#huffman = table
      start += length
    }
    if (this.#huffman === undefined || start > end) throw corruptZstd('literals without a Huffman table')
    const literals = Buffer.allocUnsafe(size)
    if (format === 0) decodeHuffman(this.#huffman, bytes.subarray(start, end), literals)
    else decodeFourStreams(this.#huffman, bytes.subarray(start, end), literals)
    return { literals, length: end }
  }

  #sequences(bytes: Buffer, literals: Buffer): void {
    const { count, length } = readSequenceCount(bytes)
    if (count === 0 && length !== bytes.length) throw corruptZstd('bytes that belong to nothing')
    const blockStart = this.#output.length
    const used = count === 0 ? 0 : this.#execute(bytes, length, count, literals)
    this.#output.append(literals, used, literals.length)
    if (this.#output.length - blockStart > MAX_BLOCK_BYTES) throw corruptZstd('a block that is too long')
  }

  /** Each sequence is some literals and a repetition of what was there before. Answers how many literals they took. */
  #execute(bytes: Buffer, start: number, count: number, literals: Buffer): number {
    const { bits, tables: [lengths, offsets, matches] } = this.#readTables(bytes, start)
    let position = 0
    let lengthState = bits.read(lengths.accuracyLog)
    let offsetState = bits.read(offsets.accuracyLog)
    let matchState = bits.read(matches.accuracyLog)
    for (let left = count; left > 0; left--) {
      const offsetCode = offsets.symbols[offsetState]!
      const offsetValue = 2 ** offsetCode + bits.read(offsetCode)
      const matchLength = valueOf(matchLengths, matches.symbols[matchState]!, bits)
      const literalLength = valueOf(literalLengths, lengths.symbols[lengthState]!, bits)
      if (position + literalLength > literals.length || bits.left < 0) throw corruptZstd('more literals than there are')
      this.#output.append(literals, position, position + literalLength)
      position += literalLength
      this.#output.repeat(this.#offset(offsetValue, literalLength), matchLength, this.#frameStart)
      if (left === 1) break
      lengthState = lengths.bases[lengthState]! + bits.read(lengths.bits[lengthState]!)
      matchState = matches.bases[matchState]! + bits.read(matches.bits[matchState]!)
      offsetState = offsets.bases[offsetState]! + bits.read(offsets.bits[offsetState]!)
    }
    if (bits.left !== 0) throw corruptZstd('bits that belong to nothing')
    return position
  }

  #readTables(bytes: Buffer, start: number): { readonly bits: BackwardBits; readonly tables: readonly [StateTable, StateTable, StateTable] } {
    const modes = bytes[start]
    if (modes === undefined || (modes & 3) !== 0) throw corruptZstd('no kinds of tables')
    let position = start + 1
    const tables = [literalLengthTables, offsetTables, matchLengthTables].map((kind, i) => {
      const { table, length } = this.#readTable(bytes.subarray(position), (modes >> (6 - 2 * i)) & 3, kind, i)
      position += length
      this.#tables[i] = table
      return table
    })
    return { bits: new BackwardBits(bytes.subarray(position)), tables: [tables[0]!, tables[1]!, tables[2]!] }
  }

  #readTable(bytes: Buffer, mode: number, { maxAccuracyLog, maxSymbol, usual }: TableKind, index: number): { readonly table: StateTable; readonly length: number } {
    if (mode === 0) return { table: usual, length: 0 }
    if (mode === 2) return readStateTable(bytes, maxAccuracyLog, maxSymbol)
    if (mode === 1) {
      if (bytes.length === 0 || bytes[0]! > maxSymbol) throw corruptZstd('a symbol that there is not')
      return { table: singleStateTable(bytes[0]!), length: 1 }
    }
    const table = this.#tables[index]
    if (table === undefined) throw corruptZstd('a table again that was not there before')
    return { table, length: 0 }
  }

  /** How far back; the last three are remembered, and small values name one of them. */
  #offset(value: number, literalLength: number): number {
    const [first, second, third] = this.#offsets
    const place = value > 3 ? 4 : value - 1 + (literalLength === 0 ? 1 : 0)
    if (place === 0) return first
    const offset = place === 4 ? value - 3 : place === 1 ? second : place === 2 ? third : first - 1
    this.#offsets = [offset, first, place === 1 ? third : second]
    return offset
  }
}

function valueOf({ base, bits }: Extra, code: number, from: BackwardBits): number {
  return base[code]! + from.read(bits[code]!)
}

function readSequenceCount(bytes: Buffer): { readonly count: number; readonly length: number } {
  const first = bytes[0]
  if (first === undefined || bytes.length < (first < 128 ? 1 : first < 255 ? 2 : 3)) throw corruptZstd('half a block')
  if (first < 128) return { count: first, length: 1 }
  if (first < 255) return { count: ((first - 128) << 8) + bytes[1]!, length: 2 }
  return { count: bytes.readUInt16LE(1) + 0x7f00, length: 3 }
}

function decodeFourStreams(table: HuffmanTable, bytes: Buffer, literals: Buffer): void {
  if (bytes.length < 6) throw corruptZstd('half a block')
  const each = (literals.length + 3) >> 2
  let position = 6
  for (let stream = 0; stream < 4; stream++) {
    const end = stream === 3 ? bytes.length : position + bytes.readUInt16LE(2 * stream)
    if (end > bytes.length || (stream === 3 && 3 * each > literals.length)) throw corruptZstd('literals that are too long')
    decodeHuffman(table, bytes.subarray(position, end), literals.subarray(stream * each, stream === 3 ? literals.length : (stream + 1) * each))
    position = end
  }
}

function decodeHuffman({ maxBits, symbols, bits: lengths }: HuffmanTable, bytes: Buffer, literals: Buffer): void {
  const bits = new BackwardBits(bytes)
  for (let i = 0; i < literals.length; i++) {
    const code = bits.peek(maxBits)
    literals[i] = symbols[code]!
    bits.left -= lengths[code]!
  }
  if (bits.left !== 0) throw corruptZstd('literals that do not end with their bits')
}
