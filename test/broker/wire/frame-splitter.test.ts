// However the bytes of a connection are cut, the same frames come out, whether pushed in chunks, copied from memory that is used again, or received in place.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReceiver } from '../../../broker/wire/frame-receiver.ts'
import { FrameSplitter } from '../../../broker/wire/frame-splitter.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'

type Cut = (stream: Buffer, pieces: readonly number[], maxFrameBytes: number) => readonly Buffer[]

const splitter: Cut = (stream, pieces, maxFrameBytes) => {
  const frames: Buffer[] = []
  const cutter = new FrameSplitter(maxFrameBytes, new LentBuffers(0))
  for (let at = 0, i = 0; at < stream.length; at += pieces[i++ % pieces.length]!) cutter.push(Buffer.from(stream.subarray(at, at + pieces[i % pieces.length]!)), frame => frames.push(frame))
  return frames
}

/** As a socket that reads everything into the same memory. */
const copier: Cut = (stream, pieces, maxFrameBytes) => {
  const frames: Buffer[] = []
  const space = Buffer.alloc(Math.max(...pieces))
  const cutter = new FrameSplitter(maxFrameBytes, new LentBuffers(0, 1024), { copies: true })
  for (let at = 0, i = 0; at < stream.length; i++) {
    const length = stream.copy(space, 0, at, at + pieces[i % pieces.length]!)
    cutter.push(space.subarray(0, length), frame => frames.push(frame))
    space.fill(0xdb)
    at += length
  }
  return frames
}

const receiver: Cut = (stream, pieces, maxFrameBytes) => {
  const frames: Buffer[] = []
  const cutter = new FrameReceiver(maxFrameBytes)
  for (let at = 0, i = 0; at < stream.length; i++) {
    const length = stream.copy(cutter.space(), 0, at, at + pieces[i % pieces.length]!)
    cutter.filled(length, frame => frames.push(frame))
    at += length
  }
  return frames
}

function streamOf(frames: readonly Buffer[]): Buffer {
  return Buffer.concat(frames.flatMap(frame => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(frame.length)
    return [length, frame]
  }))
}

describe.each([['a splitter', splitter], ['a splitter that copies', copier], ['a receiver', receiver]])('%s', (_, cut) => {
  test('finds the frames wherever the stream is cut', () => {
    const frame = fc.record({ length: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 65_530, max: 70_010 })), seed: fc.nat(250) })
      .map(({ length, seed }) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + seed) & 255)))
    const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1_000, max: 200_000 })), { minLength: 1, maxLength: 5 })
    expect(() => fc.assert(fc.property(fc.array(frame, { maxLength: 6 }), pieces, (frames, sizes) => {
      const found = cut(streamOf(frames), sizes, 100_000)
      return found.length === frames.length && found.every((bytes, i) => bytes.equals(frames[i]!))
    }), { numRuns: 100 })).not.toThrow()
  })

  test('takes frames of megabytes', () => {
    const frames = [Buffer.alloc(5_000_000, 'a'), Buffer.alloc(3, 'b'), Buffer.alloc(2_000_001, 'c')]
    expect(cut(streamOf(frames), [65_536], 10_000_000).map(frame => frame.toString('latin1', 0, 3))).toEqual(['aaa', 'bbb', 'ccc'])
  })

  test.each([-1, 101, 0x7fff_ffff])('refuses a frame of %i bytes', size => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(size)
    expect(() => cut(length, [4], 100)).toThrow(`announces ${size} bytes`)
  })
})
