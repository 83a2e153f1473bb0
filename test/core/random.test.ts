// Ids: which of them anyone may meet on a command line.

import { expect, test } from 'vitest'
import { base64Uuid, seededRandom, uuidForTools, type Random } from '../../core/random.ts'

test('an id that tools are given begins with no dash, whatever the draw', () => {
  const random = seededRandom(1)
  const ids = Array.from({ length: 1000 }, () => uuidForTools(random))
  expect(new Set(ids).size).toBe(1000)
  expect(ids.filter(id => base64Uuid(id).startsWith('-'))).toEqual([])
  for (const first of [0xf8, 0xf9, 0xfa, 0xfb]) expect(base64Uuid(uuidForTools(always(first)))).toMatch(/^[^-].{21}$/)
})

test('it is of version 4, and so none that Kafka reserves', () => {
  expect(uuidForTools(always(0))).toBe('00000000-0000-4000-8000-000000000000')
  expect(uuidForTools(always(0xff))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff')
  expect(base64Uuid('00000000-0000-0000-0000-000000000001')).toBe('AAAAAAAAAAAAAAAAAAAAAQ')
})

function always(byte: number): Random {
  return { uint32: () => byte * 0x1010101, bytes: length => Buffer.alloc(length, byte) }
}
