// Batches are Kafka's byte for byte, come back as they were written, and are refused when a bit is wrong.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c, crc32cPortable } from '../../../broker/wire/crc32c.ts'
import { RecordBatchCursor, type CursorOptions } from '../../../broker/wire/record-batch-cursor.ts'
import { batchHeaderBytes, RecordBatchHeader, sequenceAfter, writeBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { BufferPool } from '../../../broker/wire/record-batch-pool.ts'
import { RecordBatchWriter, recordSizeBound, type BatchClosing } from '../../../broker/wire/record-batch-writer.ts'
import { writeZigzag, zigzagSize } from '../../../broker/wire/varint.ts'
import { Headers } from '../../../core/headers.ts'

interface Row {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, Buffer | null])[]
}

const bytesOrNull = fc.option(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 60, maxLength: 300 })).map(bytes => Buffer.from(bytes)), { nil: null })
const timestamps = fc.oneof(fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.constantFrom(0, -1, 1_700_000_000_000, 1_700_000_000_001, 2 ** 50))
const row: fc.Arbitrary<Row> = fc.record({
  key: bytesOrNull,
  value: bytesOrNull,
  timestamp: timestamps,
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), bytesOrNull), { maxLength: 3 }),
})
const rows = fc.array(row, { minLength: 1, maxLength: 200 })

function batchOf(rows: readonly Row[], closing: BatchClosing = {}, writer = new RecordBatchWriter(0)): Buffer {
  for (const { key, value, timestamp, headers } of rows) {
    const before = writer.size
    const given = headers.length === 0 ? null : Headers.of(...headers)
    writer.append(key, value, timestamp, given)
    expect(writer.size - before).toBeLessThanOrEqual(recordSizeBound(key, value, given))
  }
  return writer.close(closing)
}

function read(buffer: Buffer, options: CursorOptions = {}): (Row & { offset: number })[] {
  const cursor = new RecordBatchCursor(buffer, options)
  const read: (Row & { offset: number })[] = []
  while (cursor.next()) {
    const { buffer, offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = cursor
    read.push({
      offset,
      timestamp,
      key: keyStart < 0 ? null : Buffer.from(buffer.subarray(keyStart, keyEnd)),
      value: valueStart < 0 ? null : Buffer.from(buffer.subarray(valueStart, valueEnd)),
      headers: (cursor.headers()?.toArray() ?? []).map(({ key, value }) => [key, value === null ? null : Buffer.from(value)] as const),
    })
  }
  return read
}

/** By kafka-clients 4.3.1: the two records above, then thirty more. */
const writtenByJava: Readonly<Record<string, string>> = {
  gzip: 'AAAAAAAAACoAAAFdAAAAAwKShG5JAAEAAAAfAAABdIdugAAAAAF0h26B9P//////////////////AAAAIB+LCAAAAAAAAP+V0u1qwjAUxvFjKK6IiJQiIiJBRERKSWKtVcYuY+yrcx31ZRY6X7Y79jJ2TncFz9ckf/hBnpCIvKP1bpZiejypRnDbnq65vtxLTxXqR50bB37hH/Nf8/p/VX7qra7yXVl9RPpS5Pp8/XrPKzm/F/tdofff2tCBVFMqC1SWK8+XygGV46rZQoULrvw2Kky4anVQ4ZKrdhcVplx1AlS44qobosKMq6CHCtd0orBfC9+AXzac9QY1EcksZ/1hbUQyx9lgBCMXnA01jEw4G41h5JIzPYGRKWfjKYxccTaZwciMs+kcRspKZhGKdLKSeYwinawkMijSyUpiByNlJSaBkbISl8JIWUmSwUhZSbqBkbKS7BlGyko2LzByTX8+NvIMiwYAAA==',
  snappy: 'AAAAAAAAACoAAAH7AAAAAwJaBJPwAAIAAAAfAAABdIdugAAAAAF0h26B9P//////////////////AAAAIIJTTkFQUFkAAAAAAQAAAAEAAAG2iw2wFAAAAARrMQR2MQAuAOgHAgESdmFsdWUgdHdvBAJoAngCbgFqAAAECGtleTBWCRtYb2YgYSByZWNvcmQsIHRoZSBudW1iZXIBGDh3aGljaCBpcyAwAGoAAgYBNgQxVqY2ABQxAGoABAgBNgAyqjYAFDIAagAGCgE2rqIAFDMAagAIDAE2rqIAFDQAagAKDgE2rqIAFDUAagAMEAE2rqIAFDYAagAOEgE2rqIAFDcAagAQFAE2rqIAFDgAagASFgE2rqIAFDkAbAAUGAE2BDFYquYBFDAAbAAWGgE3ADKuNwAUMQBsABgcATcAMK43ABQyAGwAGh4BN7KlABQzAGwAHCABN7KlABQ0AGwAHiIBN7KlABQ1AGwAICQBN7KlABQ2AGwAIiYBN7KlABQ3AGwAJCgBN7KlABQ4AGwAJioBN7KlAEEmBCgsATeupQAAMkEmBCouATeupQAAMkEmBCwwATeupQAAMkEmBC4yATeypQBBJgQwNAE3ADCqlAIAMkEmBDI2ATeypQBBJgQ0OAE3sqUAQSYENjoBN7KlAEEmBDg8ATeypQBBJgQ6PgE3sqUABDkA',
  lz4: 'AAAAAAAAACoAAAIWAAAAAwLxOCuxAAMAAAAfAAABdIdugAAAAAF0h26B9P//////////////////AAAAIAQiTRhgQILWAQAA8h4UAAAABGsxBHYxAC4A6AcCARJ2YWx1ZSB0d28EAmgCeAJuAWoAAAQIa2V5MFYbAPAbb2YgYSByZWNvcmQsIHRoZSBudW1iZXIgb2Ygd2hpY2ggaXMgMABqAAIGNgAfMTYAGGAxAGoABAg2AB8yNgAYYDIAagAGCjYAD6IAGWAzAGoACAw2AA+iABlgNABqAAoONgAPogAZYDUAagAMEDYAD6IAGWA2AGoADhI2AA+iABlgNwBqABAUNgAPogAZYDgAagASFjYAD6IAGWA5AGwAFBg2AC8xWBwCF3AxMABsABYaNwAfMjcAGWAxAGwAGBw3AB8wNwAZYDIAbAAaHjcAD6UAGmAzAGwAHCA3AA+lABpgNABsAB4iNwAPpQAaYDUAbAAgJDcAD6UAGmA2AGwAIiY3AA+lABpgNwBsACQoNwAPpQAaYDgAbAAmKjcAD6UAGgAmAiAoLDcAD6UAGRAyJgIgKi43AA+lABkQMiYCICwwNwAPpQAZEDImAiAuMjcAD6UAGgAmAiAwNDcAD6UAGgAmAiAyNjcAD6UAGmA1AGwANDg3AA+lABoAJgIgNjo3AA+lABoAJgIgODw3AA+lABoAJgIgOj43AA+lABdQcyAyOQAAAAAA',
}

/** Checks every record's headers as the broker does before it takes a batch. */
function bytesLeftAfterChecks(batch: Buffer): number {
  const cursor = new RecordBatchCursor(batch, { fromOffset: 0 })
  while (cursor.next()) cursor.checkHeaders()
  return cursor.bytesLeft
}

const plain = (value: string, timestamp = 1000): Row => ({ key: null, value: Buffer.from(value), timestamp, headers: [] })

describe('a batch', () => {
  it.each([0, 1, 2, 3])('comes back as it was written, codec %i', codec => {
    const writer = new RecordBatchWriter()
    fc.assert(
      fc.property(rows, fc.nat(2 ** 40), (written, baseOffset) => {
        const batch = batchOf(written, { codec, baseOffset }, writer)
        expect(new RecordBatchHeader(batch).problem(batch.length)).toBeNull()
        expect(read(batch)).toEqual(written.map((row, i) => ({ ...row, offset: baseOffset + i })))
        expect(bytesLeftAfterChecks(batch)).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('carries what the producer and the broker write into its header', () => {
    const batch = batchOf([plain('a', 5000), plain('b', 3000), plain('c', 7000)], { producerId: 2 ** 40 + 3, producerEpoch: 7, baseSequence: 0x7ffffffe, transactional: true })
    const header = new RecordBatchHeader(batch)
    expect(header).toMatchObject({ producerId: 2 ** 40 + 3, producerEpoch: 7, baseSequence: 0x7ffffffe, lastSequence: 0, isTransactional: true, isControl: false })
    expect(header).toMatchObject({ count: 3, lastOffsetDelta: 2, baseTimestamp: 5000, maxTimestamp: 7000, leaderEpoch: -1, codec: 0, size: batch.length })
    header.baseOffset = 2 ** 33 + 1
    header.leaderEpoch = 12
    expect(header.problem(batch.length)).toBeNull()
    expect(header.lastOffset).toBe(2 ** 33 + 3)
    header.setAppendTime(9000)
    header.setProducer(4, 1, 20)
    expect(header.problem(batch.length)).toMatch(/^its CRC-32C is/)
    header.seal()
    expect(header.problem(batch.length)).toBeNull()
    expect(read(batch).map(({ offset, timestamp }) => [offset, timestamp])).toEqual([[2 ** 33 + 1, 9000], [2 ** 33 + 2, 9000], [2 ** 33 + 3, 9000]])
  })

  it('has the bytes that Apache Kafka gives it', () => {
    // Captured from kafka-clients 4.3.1: two records, one with headers.
    const writer = new RecordBatchWriter()
    writer.append(Buffer.from('k1'), Buffer.from('v1'), 1_600_000_000_000, null)
    writer.append(null, Buffer.from('value two'), 1_600_000_000_500, Headers.of(['h', 'x'], ['n', null]))
    expect(writer.close({ baseOffset: 42, leaderEpoch: 3 }).toString('hex')).toBe(
      '000000000000002a0000005400000003027148e81d00000000000100000174876e800000000174876e81f4ffffffffffffffffffffffffffff0000000214000000046b31047631002e00e80702011276616c75652074776f0402680278026e01',
    )
  })

  it.each(Object.entries(writtenByJava))('is read as Apache Kafka wrote it, with %s', (_, base64) => {
    const rows = read(Buffer.from(base64, 'base64'))
    expect(bytesLeftAfterChecks(Buffer.from(base64, 'base64'))).toBe(0)
    expect(rows.map(row => row.offset)).toEqual(Array.from({ length: 32 }, (_, i) => 42 + i))
    expect(rows.map(row => row.value?.toString())).toEqual(['v1', 'value two', ...Array.from({ length: 30 }, (_, i) => `value of a record, the number of which is ${i}`)])
    expect(rows[31]).toMatchObject({ key: Buffer.from('key2'), timestamp: 1_600_000_000_029 })
  })
})

describe('a run of batches', () => {
  const first = batchOf([plain('a'), plain('b')], { baseOffset: 10 })
  const second = batchOf([plain('c'), plain('d')], { baseOffset: 12, codec: 3 })
  const values = (buffer: Buffer, options?: CursorOptions): string => read(buffer, options).map(row => row.value).join('')

  it('is read from the offset asked for', () => {
    const run = Buffer.concat([first, second])
    expect([10, 11, 12, 13, 14].map(fromOffset => values(run, { fromOffset }))).toEqual(['abcd', 'bcd', 'cd', 'd', ''])
  })

  it('ends before a batch that is cut off', () => {
    const run = Buffer.concat([first, second])
    for (let end = first.length; end < run.length; end++) expect(values(run, { end })).toBe('ab')
  })

  it('shows no control records', () => {
    const marker = Buffer.from(first)
    writeBatchHeader(marker, 0, marker.length, { baseOffset: 14, control: true, transactional: true, producerId: 5, lastOffsetDelta: 1, count: 2, baseTimestamp: 0, maxTimestamp: 0 })
    expect(values(Buffer.concat([marker, second]))).toBe('cd')
  })

  it('reads committed: leaves out aborted transactions up to their marker, of that producer only', () => {
    const by = (producerId: number, baseOffset: number, value: string): Buffer => batchOf([plain(value)], { baseOffset, producerId, producerEpoch: 0, baseSequence: 0, transactional: true })
    const marker = (producerId: number, baseOffset: number): Buffer => {
      const bytes = by(producerId, baseOffset, 'm')
      writeBatchHeader(bytes, 0, bytes.length, { baseOffset, control: true, transactional: true, producerId, lastOffsetDelta: 0, count: 1, baseTimestamp: 0, maxTimestamp: 0 })
      return bytes
    }
    const run = Buffer.concat([by(1, 0, 'a'), by(2, 1, 'b'), by(1, 2, 'c'), marker(1, 3), by(1, 4, 'd'), marker(1, 5), marker(2, 6), by(2, 7, 'e')])
    expect(values(run)).toBe('abcde')
    expect(values(run, { aborted: [{ producerId: 1, firstOffset: 0 }] })).toBe('bde')
    expect(values(run, { aborted: [{ producerId: 2, firstOffset: 7 }, { producerId: 1, firstOffset: 4 }] })).toBe('abc')
  })

  it('names topic, partition and offset where a batch is corrupt', () => {
    const run = Buffer.concat([first, second])
    run[first.length + 70]! ^= 4
    const cursor = new RecordBatchCursor(run, { source: { topic: 'flights', partition: 3 } })
    expect([cursor.next(), cursor.next()]).toEqual([true, true])
    expect(() => cursor.next()).toThrow(/flights-3 offset 12 is corrupt: its CRC-32C is/)
  })

  it('refuses whatever the records say of themselves, though the CRC is right', () => {
    const whole = batchOf([plain('some value'), { ...plain('other'), key: Buffer.from('key'), headers: [['h', Buffer.from('v')]] }, plain('z', 2 ** 40)])
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: batchHeaderBytes, max: whole.length - 1 }), fc.nat(255)), { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 9 }), (changes, count) => {
        const broken = Buffer.from(whole)
        for (const [at, byte] of changes) broken[at] = byte
        if (count > 3) broken.writeInt32BE(count, 57)
        new RecordBatchHeader(broken).seal()
        try {
          for (const { key, value } of read(broken)) expect((key?.length ?? 0) + (value?.length ?? 0)).toBeLessThan(whole.length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CORRUPT_RECORD' })
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('bounds what a batch may hold', () => {
    const bomb = batchOf([plain('0'.repeat(1_000_000))], { codec: 1 })
    expect(() => read(bomb, { maxBatchBytes: 500_000 })).toThrow(/gzip stream holds more than 500000 bytes/)
  })
})

describe('numbers', () => {
  it('zigzag varints take the bytes they say and come back', () => {
    const cursor = (timestamp: number): number => read(batchOf([plain('', 0), plain('', timestamp)]))[1]!.timestamp
    for (const magnitude of [0, 1, 63, 64, 8191, 8192, 1048575, 1048576, 2 ** 27, 2 ** 30, 2 ** 31, 2 ** 34, 2 ** 41, 2 ** 48, 2 ** 51]) {
      for (const value of [magnitude - 1, magnitude, magnitude + 1, -magnitude]) {
        const buffer = Buffer.alloc(10)
        expect(writeZigzag(buffer, 0, value), `${value}`).toBe(zigzagSize(value))
        expect(cursor(value), `${value}`).toBe(value === 0 ? 0 : value)
      }
    }
  })

  it('CRC-32C: the check value, whole and in pieces, with and without the native library', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), (bytes, cut) => {
        const at = Math.min(cut, bytes.length)
        const whole = crc32cPortable(bytes, 0, bytes.length)
        return crc32c(bytes) === whole && crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at)) === whole
      }),
    )
  })

  it('sequences wrap at 2^31', () => {
    expect([sequenceAfter(5, 3), sequenceAfter(0x7fffffff, 1), sequenceAfter(0x7ffffffe, 4)]).toEqual([8, 0, 2])
  })
})

describe('a pool of buffers', () => {
  it('gives a buffer again that came back, whole, and keeps no more than it may', () => {
    const pool = new BufferPool(100_000)
    const first = pool.take(3000)
    expect(first.length).toBe(4096)
    pool.give(first.subarray(0, 10))
    expect(pool.take(4096).buffer).toBe(first.buffer)
    const many = Array.from({ length: 10 }, () => pool.take(65536))
    for (const buffer of many) pool.give(buffer)
    const again = Array.from({ length: 10 }, () => pool.take(65536))
    expect(again.filter(buffer => many.some(other => other.buffer === buffer.buffer)).length).toBe(1)
    pool.give(Buffer.alloc(5000))
    expect(pool.take(5_000_000).length).toBe(5_000_000)
  })

  it('serves a writer: batches written into returned buffers are whole', () => {
    const pool = new BufferPool(1 << 20)
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 5 }), fc.constantFrom(0, 3), (batches, codec) => {
        for (const written of batches) {
          const writer = new RecordBatchWriter(100, pool)
          const batch = batchOf(written, { codec }, writer)
          expect(read(batch)).toEqual(written.map((row, i) => ({ ...row, offset: i })))
          pool.give(batch)
        }
      }),
      { numRuns: 30 },
    )
  })
})
