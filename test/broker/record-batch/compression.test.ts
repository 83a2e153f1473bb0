// Every codec gives back what it was given, in Kafka's framing, and refuses broken or swollen input.

import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../core/error.ts'
import { codecNumber, compress, compressionNames, decompress } from '../../../broker/wire/compression.ts'

const limit = 1 << 20

/** Bytes with and without repetition, from empty to a few blocks. */
const content: fc.Arbitrary<Buffer> = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3000 }))), { maxLength: 12 })
  .map(runs => Buffer.concat(runs.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))))

describe.each(compressionNames)('%s', name => {
  const codec = codecNumber(name)

  it('gives back what it was given', () => {
    fc.assert(fc.property(content, bytes => decompress(codec, Buffer.from(compress(codec, bytes)), limit).equals(bytes)))
  })

  it('takes blocks of every length around its borders', () => {
    for (const length of [0, 1, 3, 4, 5, 11, 12, 13, 14, 60, 61, 64, 65, 256, 257, 300, 65535, 65536, 65537, 131072, 200000]) {
      for (const filled of [Buffer.alloc(length, 7), Buffer.from(Array.from({ length }, (_, i) => (i * i * 31) >> 3))]) {
        expect(decompress(codec, compress(codec, filled), limit).equals(filled), `${length} bytes`).toBe(true)
      }
    }
  })

  if (name !== 'none') {
    it('refuses what holds more than it may', () => {
      const bomb = compress(codec, Buffer.alloc(limit + 1))
      expect(() => decompress(codec, bomb, limit)).toThrow(expect.objectContaining({ code: 'CORRUPT_RECORD' }))
    })

    it('answers broken bytes with an error or with bytes, never with anything else', () => {
      const whole = compress(codec, Buffer.from('the quick brown fox jumps over the lazy dog '.repeat(60)))
      const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      fc.assert(
        fc.property(damage, fc.nat(whole.length), (changes, cut) => {
          const broken = Buffer.from(whole)
          for (const [at, byte] of changes) broken[at] = byte
          for (const bytes of [broken, whole.subarray(0, cut)]) {
            try {
              expect(decompress(codec, bytes, limit).length).toBeLessThanOrEqual(limit)
            } catch (error) {
              expect(error).toBeInstanceOf(MillraceError)
              expect((error as MillraceError).code).toBe('CORRUPT_RECORD')
            }
          }
        }),
      )
    })
  }
})

describe('what others write', () => {
  it('lz4 with linked blocks, checksums and content size (lz4 1.9 -BD -BX --content-size)', () => {
    const frame = Buffer.from(lz4CommandLine, 'base64')
    expect(decompress(3, frame, limit).equals(Buffer.from('millrace grinds records into results. '.repeat(3000)))).toBe(true)
  })

  it('snappy without framing, as librdkafka writes it', () => {
    // 13 bytes: a literal "ab", then a copy of 11 bytes from 2 back.
    const raw = Buffer.from([13, 0x04, 0x61, 0x62, ((11 - 4) << 2) | 1, 2])
    expect(decompress(2, raw, limit).toString()).toBe('abababababab' + 'a')
  })

  it('gzip of any level', () => {
    expect(decompress(1, gzipSync('x'.repeat(500), { level: 1 }), limit).length).toBe(500)
  })
})

it('knows no others', () => {
  expect(() => decompress(6, Buffer.alloc(1), 1)).toThrow(/number 6/)
})

const lz4CommandLine = 'BCJNGFxAUL0BAAAAAAC4MQEAAP8XbWlsbHJhY2UgZ3JpbmRzIHJlY29yZHMgaW50byByZXN1bHRzLiAmAP/////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////CUG9yZHMgnflUS8cAAAAP6P/////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////1UGx0cy4gH3mXRQAAAACWTEai'
