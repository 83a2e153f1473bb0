// Our own zstd, for Nodes without it: reads what the reference implementation writes, writes what that reads, and survives what is broken.

import * as zlib from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decompressZstd, frameZstd } from '../../../broker/wire/compression-zstd.ts'
import { xxhash64 } from '../../../broker/wire/xxhash64.ts'

const limit = 1 << 20

const contents = new Map<string, Buffer>([
  ['letters', Buffer.from(Array.from({ length: 400 }, (_, i) => 97 + ((i * i * 7 + i) % 1009) % (1 + (i % 26))))],
  ['rows', Buffer.from(Array.from({ length: 60 }, (_, i) => `{"key":${i * 37 % 100},"value":"record ${i * i * i % 9973} of the mill"}`).join('\n'))],
  ['many blocks', Buffer.from(Array.from({ length: 20_000 }, (_, i) => `mill ${i % 13} grinds ${i % 11};`).join(''))],
  ['one byte again and again', Buffer.alloc(300_000, 7)],
])

/** Written by Node 22 (libzstd 1.5) at levels 3, 9, 19 and 1, with checksums. */
const frames: readonly (readonly [string, string])[] = [
  ['letters', 'KLUv/WSQANUHADaXOBeQpc0B/5H9mq3ZNtm9pUxSDv////8jCDAAMgAyAGhIbBl6V1a1za4NLAEgI+aY2SytVOu2mwSFcSJO5GG5cKV+2er2MIRe6r06AetqG1n+QowRKu1jzdwOiIMAWcQISsQzBsuuIzREOaDBliMW0W2VawIEqLchO2Uj9xJCBDAFRlFMuf52ucMxqCzwioLHaa7c0a+2xkBQAavZ6gz97656Ih1HQkYZD8dPo7FermuO8Qct4pvLfQX8uQeD1TQ0Er91W6IwyS8FUU7O8hCxfAgHCaCU7koels2vc9UlRHAkgTIHAL4aRagmtgIRE0UUKkTrcEa8gBEo66Sj'],
  ['rows', 'KLUv/WRvCbUKAFZSLhtwa4oNMEJ0vZCDUzHw//gmaadMkTUg2v9XEAE0ACIAIQBTX7GuHiIqTU+fRjOnjRXAw7FYHCQgFAYKiAIGQhAEDcaAonEkDsXCQoDhCJDE0aBAOBwCQiVjdyU2U12avs56THf2rnuOdMKzqtJobk42rBIZsSOrovfNmRFZORvyUM6jifxMm6nq1+vr/YiHjie+/BkrJkOaJXOtl1xTTHa3zrdfSzc+SaSMqlLzrOZ3nfDKanTXVIQNd6hBQNvy/ndgM5LOARGMEDxCwLRIQECtA50DM7N3kqyzpByzPOonyFUCbaKeeAffCk3mrEsf7Zn35eqLAad52OQ0ls7D4JIyWArbuFQVUSYsd7Tl02xyFyUeFVUsUx+lDKTDrDypXQlxj7od7rwNe66Eo19wvwk8Pn/LTe/8votPcJmrdW3LwA0bbgzNcyu3cxHi1IblhAGjCtMhqtE='],
  ['many blocks', 'KLUv/aQg+wQAfAYAQosZFKAlxRwP+h37BgBvvru7e0serKpwfZ4VjURnn2dFI9HZ51nRSHT2eVY0Ep19flY0Ep39eVY0Ep19nhWNRGefZ0Uj0dnnWdFIdPZ5VjQSnf3vzKqIZkQi2h9wKAAYIBAEDBwKBYJAgJqoIejunwFguSxzEkiACEgIAUKg2ff//9/f9iGpleE8Z86eUGkgfIvYcBhDmYei5izZm4gZgxTJiuEItYRcxrBGs8QTVAMwGKFCzYjJdZO0SSpJBQnMPZcPpY9O6w/lZnVZA9hVVAAAAAEA/f+T/rkGAkUAAAABAB17HQAB/vIrVA=='],
  ['one byte again and again', 'KLUv/aTgkwQAVAAAEAcHAQD7/znAAgIAEAcDnwQHKuSrQw=='],
]

test.each(frames)('reads %s', (name, frame) => {
  expect(decompressZstd(Buffer.from(frame, 'base64'), limit).equals(contents.get(name)!)).toBe(true)
})

test('frames follow each other, skippable ones between them', () => {
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
  const bytes = Buffer.concat([frameZstd(Buffer.from('one')), skippable, frameZstd(Buffer.from(' two'))])
  expect(decompressZstd(bytes, limit).toString()).toBe('one two')
})

test('what holds more than it may is refused', () => {
  for (const [, frame] of frames) {
    expect(() => decompressZstd(Buffer.from(frame, 'base64'), 100)).toThrow(expect.objectContaining({ code: 'CORRUPT_RECORD', message: expect.stringContaining('more than 100 bytes') as string }))
  }
})

/** A frame of one block: `size` is what it says that it holds. */
function frameOf(size: number, kind: number, hex: string, { descriptor = 0x20, checksum = '' } = {}): Buffer {
  const content = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, size, 0, 0, 0])
  header.writeUIntLE((content.length << 3) | (kind << 1) | 1, 6, 3)
  return Buffer.concat([header, content, Buffer.from(checksum, 'hex')])
}

test.each([
  ['it needs a dictionary', frameOf(1, 0, '61', { descriptor: 0x21 })],
  ['not as long as it says', frameOf(2, 0, '616263')],
  ['not as long as it says', frameOf(4, 0, '616263')],
  ['a kind that is not in use', frameOf(1, 3, '61')],
  ['does not fit its checksum', frameOf(3, 0, '616263', { descriptor: 0x24, checksum: '990977ae' })],
  ['half a frame', frameOf(3, 0, '616263', { descriptor: 0x24, checksum: '9909' })],
  ['literals without a Huffman table', frameOf(1, 2, '134000 01 00')],
  ['an offset before the beginning', frameOf(4, 2, '08 61 01 54 01 03 00 08')],
  ['bytes that belong to nothing', frameOf(1, 2, '08 61 00 00')],
  ['codes that are too long', frameOf(1, 2, '124002 07 10feff5f1f 0004 01 00')],
])('a broken frame is told: %s', (why, frame) => {
  expect(() => decompressZstd(frame, limit)).toThrow(expect.objectContaining({ code: 'CORRUPT_RECORD', message: expect.stringContaining(why) as string }))
})

test('the checksum of a frame is XXH64 of its contents', () => {
  expect([Buffer.alloc(0), Buffer.from('abc')].map(bytes => xxhash64(bytes).toString(16))).toEqual(['ef46db3751d8e999', '44bc2cf5ad770999'])
  expect(decompressZstd(frameOf(3, 0, '616263', { descriptor: 0x24, checksum: '990977ad' }), limit).toString()).toBe('abc')
})

test.each(frames)('%s with damage: other bytes, or CORRUPT_RECORD', (_, frame) => {
  const whole = Buffer.from(frame, 'base64')
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(whole.length - 1), (changes, cut) => {
    const broken = Buffer.from(whole)
    for (const [at, byte] of changes) broken[at] = byte
    for (const bytes of [broken, broken.subarray(0, cut)]) {
      try {
        expect(decompressZstd(bytes, limit).length).toBeLessThanOrEqual(limit)
      } catch (error) {
        expect(error).toMatchObject({ code: 'CORRUPT_RECORD' })
      }
    }
  }))
})

interface ZstdOfNode {
  readonly zstdCompressSync: (bytes: Buffer, options: { readonly params: Readonly<Record<number, number>> }) => Buffer
  readonly zstdDecompressSync: (bytes: Buffer) => Buffer
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

describe.runIf('zstdCompressSync' in zlib)('beside the zstd of this Node', () => {
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as ZstdOfNode
  const pieces = fc.oneof(fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)), fc.string({ maxLength: 200 }).map(text => Buffer.from(text)), fc.constantFrom(...contents.values()))
  const content = fc.array(fc.tuple(pieces, fc.integer({ min: 1, max: 20 })), { maxLength: 8 }).map(runs => Buffer.concat(runs.flatMap(([piece, times]) => new Array<Buffer>(piece.length > 1_000 ? 1 : times).fill(piece))))

  test('each reads what the other writes', () => {
    fc.assert(fc.property(content, fc.constantFrom(-5, 1, 3, 9, 16), (bytes, level) => {
      const theirs = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
      return decompressZstd(theirs, 1 << 24).equals(bytes) && zstdDecompressSync(frameZstd(bytes)).equals(bytes)
    }))
  })
})
