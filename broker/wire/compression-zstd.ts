// Zstandard (RFC 8878) for Nodes without it: reads every frame that needs no dictionary, and writes frames whose blocks are as they come, not made smaller.

import { FrameBlocks, MAX_BLOCK_BYTES } from './compression-zstd-blocks.ts'
import { ZstdOutput } from './compression-zstd-output.ts'
import { corruptZstd } from './compression-zstd-tables.ts'
import { xxhash64 } from './xxhash64.ts'

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a5

/** A frame that any reader takes: it says how long its contents are, and holds them in blocks that are not compressed. */
export function frameZstd(bytes: Buffer): Buffer {
  const blocks = Math.max(1, Math.ceil(bytes.length / MAX_BLOCK_BYTES))
  const frame = Buffer.allocUnsafe(9 + 3 * blocks + bytes.length)
  frame.writeUInt32LE(MAGIC, 0)
  frame[4] = 0xa0 // One segment, its size in four bytes.
  frame.writeUInt32LE(bytes.length, 5)
  let position = 9
  for (let block = 0; block < blocks; block++) {
    const part = bytes.subarray(block * MAX_BLOCK_BYTES, (block + 1) * MAX_BLOCK_BYTES)
    frame.writeUIntLE((part.length << 3) | (block === blocks - 1 ? 1 : 0), position, 3)
    frame.set(part, position + 3)
    position += 3 + part.length
  }
  return frame
}

/** @throws MillraceError CORRUPT_RECORD where the bytes are broken or hold more than `maxBytes` */
export function decompressZstd(bytes: Buffer, maxBytes: number): Buffer {
  const output = new ZstdOutput(maxBytes, Math.min(maxBytes, 8 * bytes.length + 1024))
  let position = 0
  if (bytes.length === 0) throw corruptZstd('it is empty')
  while (position < bytes.length) {
    if (position + 8 > bytes.length) throw corruptZstd('half a frame')
    const magic = bytes.readUInt32LE(position)
    if (magic >>> 4 === SKIPPABLE_MAGIC) position += 8 + bytes.readUInt32LE(position + 4)
    else if (magic === MAGIC) position = readFrame(bytes, position + 4, output)
    else throw corruptZstd('no frame begins where one should')
  }
  if (position > bytes.length) throw corruptZstd('half a frame')
  return output.bytes()
}

/** Where the frame ends. How far back its window reaches is of no account: all that it holds is in memory. */
function readFrame(bytes: Buffer, start: number, output: ZstdOutput): number {
  const descriptor = bytes[start]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw corruptZstd('a bit that is not in use')
  if ((descriptor & 3) !== 0) throw corruptZstd('it needs a dictionary')
  const sizeFlag = descriptor >> 6
  const sizeStart = start + (isSingleSegment ? 1 : 2)
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag
  const frameStart = output.length
  const end = readBlocks(bytes, sizeStart + sizeBytes, output)
  const contents = output.bytes().subarray(frameStart)
  if (sizeBytes > 0 && contents.length !== contentSize(bytes, sizeStart, sizeBytes)) throw corruptZstd('a frame that is not as long as it says')
  if ((descriptor & 4) === 0) return end
  if (end + 4 > bytes.length) throw corruptZstd('half a frame')
  if (BigInt(bytes.readUInt32LE(end)) !== BigInt.asUintN(32, xxhash64(contents))) throw corruptZstd('a frame that does not fit its checksum')
  return end + 4
}

/** A size in two bytes begins at 256. */
function contentSize(bytes: Buffer, start: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(start))
  return bytes.readUIntLE(start, length) + (length === 2 ? 256 : 0)
}

/** Where the last of a frame's blocks ends. */
function readBlocks(bytes: Buffer, start: number, output: ZstdOutput): number {
  const blocks = new FrameBlocks(output)
  let position = start
  for (let isLast = false; !isLast;) {
    if (position + 3 > bytes.length) throw corruptZstd('half a frame')
    const header = bytes.readUIntLE(position, 3)
    isLast = (header & 1) === 1
    const kind = (header >> 1) & 3
    const size = header >> 3
    const end = position + 3 + (kind === 1 ? 1 : size)
    if (end > bytes.length || size > MAX_BLOCK_BYTES) throw corruptZstd('a block that is too long')
    const content = bytes.subarray(position + 3, end)
    if (kind === 0) output.append(content, 0, content.length)
    else if (kind === 1) output.fill(content[0]!, size)
    else if (kind === 2) blocks.read(content)
    else throw corruptZstd('a block of a kind that is not in use')
    position = end
  }
  return position
}
