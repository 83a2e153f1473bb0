// Rows become records: keys and times from fields, bytes as the topic's serdes write them.

import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { serdes } from '../../../core/serde.ts'
import { recordEncoder } from '../../../cli/input/record-encoder.ts'
import type { Row } from '../../../cli/input/row-reader.ts'

const clock = new VirtualClock(1234)
const json = serdes.json()
const row = (value: unknown, text = JSON.stringify(value)): Row => ({ value, text, line: 7, end: 0 })
const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('utf8'))

test('an NDJSON line goes into a JSON topic as it stands', () => {
  const encode = recordEncoder({ file: 'a.ndjson', key: 'id', timestamp: 'at' }, { key: serdes.string, value: json }, clock)
  const { key, value, timestamp } = encode(row({ id: 5, at: '2001-01-01' }, '{"id": 5, "at": "2001-01-01"}'))
  expect([text(key), text(value), timestamp]).toEqual(['5', '{"id": 5, "at": "2001-01-01"}', 978307200000])
})

test('a CSV row goes into a JSON topic as an object of strings', () => {
  const encode = recordEncoder({ file: 'a.csv', key: 'id', at: 0 }, { key: serdes.int64, value: json }, clock)
  const { key, value, timestamp } = encode(row({ id: '7', name: 'x' }, '7,x'))
  expect([Buffer.from(key!).toString('hex'), text(value), timestamp]).toEqual(['0000000000000007', '{"id":"7","name":"x"}', 0])
})

test('a line goes into a text topic, without key, at the time of reading', () => {
  const encode = recordEncoder({ file: 'a.txt' }, { key: serdes.string, value: serdes.string }, clock)
  const { key, value, timestamp } = encode(row('hello', 'hello'))
  expect([key, text(value), timestamp]).toEqual([null, 'hello', 1234])
})

test('null is a tombstone', () => {
  const encode = recordEncoder({ file: 'a.ndjson' }, { key: serdes.string, value: json }, clock)
  expect(encode(row(null, 'null')).value).toBeNull()
})

test('fields may lie deeper', () => {
  const encode = recordEncoder({ file: 'a.ndjson', key: 'user.id' }, { key: serdes.string, value: json }, clock)
  expect(text(encode(row({ user: { id: 'ada' } })).key)).toBe('ada')
})

test.each([
  [{ key: 'nope' }, /a\.ndjson:7: there is no field nope\. The fields are id, at\./],
  [{ timestamp: 'id' }, /a\.ndjson:7: the field id is "five", which is no time\./],
])('%j is told with file and line', (fields, message) => {
  const encode = recordEncoder({ file: 'a.ndjson', ...fields }, { key: serdes.string, value: json }, clock)
  expect(() => encode(row({ id: 'five', at: 0 }))).toThrow(message)
})
