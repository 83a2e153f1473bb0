// The bytes of changes on repartition topics: Kafka Streams' own, and back again.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { serdes, type Serde } from '../../../core/serde.ts'
import { decodeChange, encodeChange } from '../../../runtime/operators/change-bytes.ts'

const text = serdes.string as Serde<unknown>

function decode(bytes: Uint8Array): { newValue: unknown; oldValue: unknown } {
  const padded = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('yy')])
  const into = { newValue: undefined as unknown, oldValue: undefined as unknown }
  decodeChange(text, padded, 2, 2 + bytes.length, into)
  return into
}

test.each([
  ['a', null, '6101'],
  [null, 'b', '6200'],
  ['a', 'b', '02616202'],
  ['', '', '0002'],
])('new %j, old %j is %s', (newValue, oldValue, hex) => {
  expect(Buffer.from(encodeChange(text, newValue, oldValue)).toString('hex')).toBe(hex)
})

test('what is written is read again, wherever it lies in a buffer', () => {
  const value = fc.option(fc.string({ maxLength: 300 }))
  fc.assert(
    fc.property(value, value, (newValue, oldValue) => {
      fc.pre(newValue !== null || oldValue !== null)
      expect(decode(encodeChange(text, newValue, oldValue))).toEqual({ newValue, oldValue })
    }),
  )
})

test('flags with a byte more before them mean the same', () => {
  expect(decode(Buffer.from('61000' + '4', 'hex'))).toEqual({ newValue: 'a', oldValue: null })
  expect(decode(Buffer.from('620103', 'hex'))).toEqual({ newValue: null, oldValue: 'b' })
  expect(decode(Buffer.from('0261620105', 'hex'))).toEqual({ newValue: 'a', oldValue: 'b' })
})

test.each(['', '06', '6107', '03', 'ff02', 'ffffffffff02', '086162' + '02'])('%j is refused', hex => {
  expect(() => decode(Buffer.from(hex, 'hex'))).toThrow(/change/)
})
