// Snappy as Kafka's batches carry it: read raw or in the framing of Java's snappy library, written in that framing.

import { MillraceError } from '../../core/error.ts'
import { Scratch } from './compression-scratch.ts'

/** Magic, then version and lowest compatible version. */
const frameHeader: Buffer = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const frameMagicBytes = 8
const blockBytes = 65536

/** The answer is overwritten by the next call. */
export function compressSnappy(input: Buffer): Buffer {
  const blocks = Math.ceil(input.length / blockBytes)
  const output = scratch.of(frameHeader.length + input.length + Math.ceil(input.length / 6) + blocks * 48)
  output.set(frameHeader)
  let at = frameHeader.length
  for (let start = 0; start < input.length; start += blockBytes) {
    const end = compressBlock(input, start, Math.min(start + blockBytes, input.length), output, at + 4)
    output.writeInt32BE(end - at - 4, at)
    at = end
  }
  return output.subarray(0, at)
}

/** @throws MillraceError CORRUPT_RECORD */
export function decompressSnappy(input: Buffer, maxBytes: number): Buffer {
  if (input.length < frameHeader.length || input.compare(frameHeader, 0, frameMagicBytes, 0, frameMagicBytes) !== 0) {
    const output = Buffer.allocUnsafeSlow(blockLength(input, 0, input.length, maxBytes))
    decompressBlock(input, 0, input.length, output, 0)
    return output
  }
  const output = Buffer.allocUnsafeSlow(framedLength(input, maxBytes))
  for (let at = frameHeader.length, out = 0; at < input.length; ) {
    const end = at + 4 + input.readInt32BE(at)
    out = decompressBlock(input, at + 4, end, output, out)
    at = end
  }
  return output
}

/** What the blocks of a framed input say they hold together; makes sure that each lies in the input. */
function framedLength(input: Buffer, maxBytes: number): number {
  let length = 0
  for (let at = frameHeader.length; at < input.length; ) {
    if (input.length - at < 4) throw corrupt('its last block has no length')
    const size = input.readInt32BE(at)
    at += 4
    if (size <= 0 || size > input.length - at) throw corrupt(`a block says it has ${size} bytes of ${input.length - at}`)
    length += blockLength(input, at, at + size, maxBytes - length)
    at += size
  }
  return length
}

function blockLength(input: Buffer, start: number, end: number, maxBytes: number): number {
  let length = 0
  let scale = 1
  for (let at = start; ; at++) {
    if (at >= end || at - start > 4) throw corrupt('a block does not say its length')
    const byte = input[at]!
    length += (byte & 127) * scale
    scale *= 128
    if (byte < 128) break
  }
  if (length > maxBytes) throw corrupt(`it holds ${length} bytes, more than it may`)
  return length
}

const scratch = new Scratch()
const hashBits = 12
/** Where in the block a four-byte word of that hash was seen last; 0 if it was not, which is a place like any other. */
const hashes: Uint16Array = new Uint16Array(1 << hashBits)

/** Answers the position behind the block. */
function compressBlock(input: Buffer, start: number, end: number, output: Buffer, outputStart: number): number {
  const words = new DataView(input.buffer, input.byteOffset, input.length)
  let out = outputStart
  let rest = end - start
  for (; rest > 127; rest >>>= 7) output[out++] = (rest & 127) | 128
  output[out++] = rest
  hashes.fill(0)
  let at = start + 1
  let literalsAt = start
  let misses = 64
  while (at <= end - 4) {
    const word = words.getInt32(at, true)
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
    const candidate = start + hashes[hash]!
    hashes[hash] = at - start
    if (words.getInt32(candidate, true) !== word) {
      at += misses++ >> 6
      continue
    }
    misses = 64
    let matchEnd = at + 4
    let from = candidate + 4
    while (matchEnd <= end - 4 && words.getInt32(matchEnd, true) === words.getInt32(from, true)) {
      matchEnd += 4
      from += 4
    }
    while (matchEnd < end && input[matchEnd] === input[from]) {
      matchEnd++
      from++
    }
    if (at > literalsAt) out = writeLiterals(input, literalsAt, at, output, out)
    out = writeCopy(output, out, at - candidate, matchEnd - at)
    at = literalsAt = matchEnd
  }
  return end > literalsAt ? writeLiterals(input, literalsAt, end, output, out) : out
}

function writeLiterals(input: Buffer, start: number, end: number, output: Buffer, outputStart: number): number {
  const length = end - start
  let out = outputStart
  if (length <= 60) output[out++] = (length - 1) << 2
  else if (length <= 256) {
    output[out++] = 60 << 2
    output[out++] = length - 1
  } else {
    output[out++] = 61 << 2
    output[out++] = (length - 1) & 255
    output[out++] = (length - 1) >> 8
  }
  if (length > 64) output.set(input.subarray(start, end), out)
  else for (let i = 0; i < length; i++) output[out + i] = input[start + i]!
  return out + length
}

function writeCopy(output: Buffer, outputStart: number, distance: number, length: number): number {
  let out = outputStart
  let rest = length
  for (; rest > 64; rest -= rest >= 68 ? 64 : 60) out = writeLongCopy(output, out, distance, rest >= 68 ? 64 : 60)
  if (rest > 11 || distance > 2047) return writeLongCopy(output, out, distance, rest)
  output[out++] = ((distance >> 8) << 5) | ((rest - 4) << 2) | 1
  output[out++] = distance & 255
  return out
}

function writeLongCopy(output: Buffer, out: number, distance: number, length: number): number {
  output[out] = ((length - 1) << 2) | 2
  output[out + 1] = distance & 255
  output[out + 2] = distance >> 8
  return out + 3
}

/** Appends what the block holds to `output` at `outputStart`, exactly as many bytes as it says. Answers the position behind. */
function decompressBlock(input: Buffer, start: number, end: number, output: Buffer, outputStart: number): number {
  const limit = outputStart + blockLength(input, start, end, output.length - outputStart)
  const inputWords = new DataView(input.buffer, input.byteOffset, input.length)
  const outputWords = new DataView(output.buffer, output.byteOffset, output.length)
  let at = start
  while (input[at]! > 127) at++
  at++
  let out = outputStart
  while (at < end) {
    const tag = input[at++]!
    let length = (tag >> 2) + 1
    if ((tag & 3) === 0) {
      if (length > 60) {
        const bytes = length - 60
        if (bytes > end - at) throw corrupt('a block ends in the middle')
        length = input.readUIntLE(at, bytes) + 1
        at += bytes
      }
      if (length > end - at) throw corrupt('a block ends in the middle')
      if (length > limit - out) throw corrupt('a block holds more than it says')
      if (length > 128) output.set(input.subarray(at, at + length), out)
      else {
        let i = 0
        for (; i <= length - 4; i += 4) outputWords.setInt32(out + i, inputWords.getInt32(at + i, true), true)
        for (; i < length; i++) output[out + i] = input[at + i]!
      }
      at += length
      out += length
      continue
    }
    let distance: number
    const bytes = (tag & 3) === 3 ? 4 : tag & 3
    if (bytes > end - at) throw corrupt('a block ends in the middle')
    if (bytes === 1) {
      length = ((tag >> 2) & 7) + 4
      distance = ((tag >> 5) << 8) | input[at]!
    } else distance = bytes === 2 ? input[at]! | (input[at + 1]! << 8) : input.readUInt32LE(at)
    at += bytes
    if (distance === 0 || distance > out - outputStart) throw corrupt('a copy reaches back too far')
    if (length > limit - out) throw corrupt('a block holds more than it says')
    const copyEnd = out + length
    if (distance >= 4) for (; out <= copyEnd - 4; out += 4) outputWords.setInt32(out, outputWords.getInt32(out - distance, true), true)
    for (; out < copyEnd; out++) output[out] = output[out - distance]!
  }
  if (out !== limit) throw corrupt('a block holds less than it says')
  return out
}

function corrupt(what: string): MillraceError {
  return new MillraceError('CORRUPT_RECORD', `the snappy block is broken: ${what}`)
}
