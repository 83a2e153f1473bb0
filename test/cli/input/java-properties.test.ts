// Java properties, as java.util.Properties reads them.

import { expect, test } from 'vitest'
import { javaProperties } from '../../../cli/input/java-properties.ts'

test.each([
  ['a=1', { a: '1' }],
  ['a = 1 \n', { a: '1 ' }],
  ['a:1\nb 2\nc\t=\t3\nd', { a: '1', b: '2', c: '3', d: '' }],
  ['# a=1\n  ! b=2\n\n   \nc=3', { c: '3' }],
  ['a=1,\\\n   2,\\\n\t3\nb=4', { a: '1,2,3', b: '4' }],
  ['a=1\\\n# no comment', { a: '1# no comment' }],
  ['a=1\\\\\nb=2', { a: '1\\', b: '2' }],
  ['a=1\\', { a: '1' }],
  ['a=x\r\nb=y\rc=z', { a: 'x', b: 'y', c: 'z' }],
  ['a\\=b\\:c\\ d=e', { 'a=b:c d': 'e' }],
  ['a=\\t\\n\\u00e9\\q\\"', { a: '\t\n\u00e9q"' }],
  ['a=1\na=2', { a: '2' }],
  ['a==b=c', { a: '=b=c' }],
  ['= nameless', { '': 'nameless' }],
  ['listeners=PLAINTEXT://:9092 # not a comment', { listeners: 'PLAINTEXT://:9092 # not a comment' }],
  ['\uFEFFa=é', { a: 'é' }],
])('%j', (text, properties) => {
  expect(Object.fromEntries(javaProperties(text))).toEqual(properties)
})

test('an escape that is none is refused with its place', () => {
  expect(() => javaProperties('a=1\n\nb=C:\\users', 'server.properties')).toThrow('server.properties:3: \\u stands')
})
