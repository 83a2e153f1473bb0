// A record as a line of JSON: what was read can be written back, byte for byte.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, headersOf, plainBytes, plainHeaders, recordLine } from '../../cli/record/record-json.ts'
import { Headers } from '../../core/headers.ts'

test.each([
  ['hello', 'hello'],
  ['{"a":1}', { a: 1 }],
  ['{"a": 1}', '{"a": 1}'],
  ['[1,2]', [1, 2]],
  ['{broken', '{broken'],
  ['17', '17'],
  ['', ''],
])('the bytes of %s are shown as %j', (text, shown) => {
  expect(plainBytes(Buffer.from(text, 'utf8'))).toEqual(shown)
})

test('bytes that are no text are shown in base64', () => {
  expect(plainBytes(Buffer.of(0, 255))).toEqual({ base64: 'AP8=' })
})

test('all bytes come back', () => {
  const json = fc.json().map(text => new Uint8Array(Buffer.from(text, 'utf8')))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), json), bytes => {
      const line = recordLine({ key: null, value: plainBytes(Buffer.from(bytes)) })
      const { value } = JSON.parse(line) as { value: unknown }
      expect(Buffer.from(bytesOf(value, null)!)).toEqual(Buffer.from(bytes))
    }),
  )
})

test('headers come back, in order, with duplicates and nulls', () => {
  const headers = Headers.of(['a', 'x'], ['a', Buffer.of(255)], ['b', null])
  const line = JSON.parse(JSON.stringify(plainHeaders(headers))) as { headers: unknown }
  expect(headersOf(line.headers)?.toArray().map(({ key, value }) => [key, value === null ? null : Buffer.from(value)])).toEqual([
    ['a', Buffer.from('x')],
    ['a', Buffer.of(255)],
    ['b', null],
  ])
})

test('a bigint inside does not stop the line', () => {
  expect(recordLine({ key: null, value: { n: 5n, big: 2n ** 60n } })).toBe('{"key":null,"value":{"n":5,"big":"1152921504606846976"}}\n')
})
