// What is wrong with the records of a batch whose sum is right: each kind of lie, in every codec, is refused with Kafka's error.

import { describe, expect, test } from 'vitest'
import { Headers } from '../../../core/headers.ts'
import { topicConfigs, topicSettings } from '../../../broker/kernel/topic-config.ts'
import { checkBatch, singleBatch } from '../../../broker/server/handlers/batch-check.ts'
import { compress } from '../../../broker/wire/compression.ts'
import { batchHeaderBytes, RecordBatchHeader, writeBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { RecordBatchWriter } from '../../../broker/wire/record-batch-writer.ts'

const now = 1_700_000_000_000

/** The bytes of records alone, as a writer makes them. */
function recordBytes(count: number, options: { readonly headers?: Headers; readonly stepMs?: number } = {}): Buffer {
  const writer = new RecordBatchWriter()
  for (let n = 0; n < count; n++) writer.append(Buffer.from(`k${n}`), Buffer.from(`value ${n}`), now + n * (options.stepMs ?? 1), options.headers ?? null)
  return Buffer.from(writer.close().subarray(batchHeaderBytes))
}

interface Said {
  readonly count?: number
  readonly lastOffsetDelta?: number
  readonly maxTimestamp?: number
  readonly producerId?: number
  readonly baseSequence?: number
}

function batchWith(content: Buffer, codec: number, said: Said): Buffer {
  const bytes = codec === 0 ? content : compress(codec, content)
  const batch = Buffer.concat([Buffer.alloc(batchHeaderBytes), bytes])
  const count = said.count ?? 3
  writeBatchHeader(batch, 0, batch.length, { codec, baseTimestamp: now, maxTimestamp: said.maxTimestamp ?? now + 2, count, lastOffsetDelta: said.lastOffsetDelta ?? count - 1, producerId: said.producerId ?? -1, baseSequence: said.baseSequence ?? -1 })
  return batch
}

function verdict(batch: Buffer, configs: Readonly<Record<string, string>> = {}, trusted = false): string {
  const settings = topicSettings(name => configs[name] ?? topicConfigs.get(name)!.default!)
  const single = singleBatch(batch, 9)
  const answer = single instanceof RecordBatchHeader ? checkBatch(single, { settings, now, trusted }) : single
  return answer instanceof RecordBatchHeader ? 'taken' : answer.error
}

/** One byte of the records changed. */
function changed(bytes: Buffer, find: (bytes: Buffer) => number, byte: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[find(copy)] = byte
  return copy
}

const three = recordBytes(3)
/** Of the first record: its length, attributes, timestamp delta, offset delta and the length of its key. */
const at = { length: 0, timestampDelta: 2, offsetDelta: 3, keyLength: 4 } as const

describe.each([0, 1, 2, 3])('codec %i', codec => {
  test.each<[string, Buffer, Said, string]>([
    ['good records', three, {}, 'taken'],
    ['records with headers', recordBytes(3, { headers: new Headers().add('a', Buffer.from('1')).add('b', null) }), {}, 'taken'],
    ['fewer records than are counted', three, { count: 4 }, 'INVALID_RECORD'],
    ['more records than are counted', three, { count: 2 }, 'INVALID_RECORD'],
    ['bytes behind the records', Buffer.concat([three, Buffer.from([0])]), {}, 'INVALID_RECORD'],
    ['a last offset that is not the count', three, { lastOffsetDelta: 3 }, 'INVALID_RECORD'],
    ['an offset twice', changed(three, () => at.offsetDelta, 2), {}, 'INVALID_RECORD'],
    ['a record longer than the batch', changed(three, () => at.length, 0x7e), {}, 'INVALID_RECORD'],
    ['a record without end', changed(three, () => at.length, 0xff), {}, 'INVALID_RECORD'],
    ['a key longer than its record', changed(three, () => at.keyLength, 0x7e), {}, 'INVALID_RECORD'],
    ['a key of negative length', changed(three, () => at.keyLength, 0x05), {}, 'INVALID_RECORD'],
    ['more headers than there is room', changed(three, bytes => bytes[0]! / 2, 0x10), {}, 'INVALID_RECORD'],
    ['a producer without a sequence', three, { producerId: 7 }, 'INVALID_RECORD'],
    ['a record of next year', changed(three, () => at.timestampDelta, 2), { maxTimestamp: now + 400 * 86_400_000 }, 'INVALID_TIMESTAMP'],
  ])('%s', (_, content, said, expected) => {
    expect(verdict(batchWith(content, codec, said))).toBe(expected)
  })

  test('a largest timestamp that is none is mended, and the sum with it', () => {
    for (const maxTimestamp of [now, now + 1, now + 1000]) {
      const batch = batchWith(three, codec, { maxTimestamp })
      expect(verdict(batch)).toBe('taken')
      const header = new RecordBatchHeader(batch)
      expect([header.maxTimestamp, header.problem(batch.length)]).toEqual([now + 2, null])
    }
  })

  test('a record whose own time is out of range is found, whatever the header says', () => {
    const content = recordBytes(3, { stepMs: 86_400_000 })
    expect(verdict(batchWith(content, codec, { maxTimestamp: now }))).toBe('INVALID_TIMESTAMP')
    expect(verdict(batchWith(content, codec, { maxTimestamp: now }), { 'message.timestamp.type': 'LogAppendTime' })).toBe('taken')
  })

  test('what our own writer made in process is believed, but for keys on a compacted topic', () => {
    const sentAgain = batchWith(three, codec, {})
    const header = new RecordBatchHeader(sentAgain)
    header.baseOffset = 50
    header.setAppendTime(now)
    expect(verdict(sentAgain, { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' }, true)).toBe('taken')
    expect(verdict(batchWith(three, codec, { count: 2 }), {}, true)).toBe('taken')
    const writer = new RecordBatchWriter()
    writer.append(null, Buffer.from('v'), now)
    expect(verdict(writer.close({ codec }), { 'cleanup.policy': 'compact' }, true)).toBe('INVALID_RECORD')
  })
})
