// Lines come out whole and know where they end, however the bytes are cut into chunks.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter, type Line } from '../../../cli/input/line-splitter.ts'

function split(text: string, chunkBytes: number, quoted: boolean): Line[] {
  const bytes = Buffer.from(text, 'utf8')
  const splitter = new LineSplitter({ position: 0, quoted })
  const lines: Line[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) lines.push(...splitter.push(bytes.subarray(at, at + chunkBytes)))
  return [...lines, ...splitter.end()]
}

const texts = (lines: readonly Line[]): string[] => lines.map(line => line.bytes.toString('utf8'))

test('lines end at line ends, with or without a return', () => {
  expect(texts(split('one\ntwo\r\n\nfour', 100, false))).toEqual(['one', 'two', '', 'four'])
})

test('a line end in quotes belongs to the CSV row', () => {
  expect(texts(split('a,"x\ny"\nb,z\n', 100, true))).toEqual(['a,"x\ny"', 'b,z'])
})

test('chunks make no difference, and the end of each line is where the next begins', () => {
  const text = fc.array(fc.string({ unit: fc.constantFrom('a', '"', 'é', '\r', ',') }), { maxLength: 8 }).map(lines => lines.join('\n'))
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), fc.boolean(), (content, chunkBytes, quoted) => {
      const whole = split(content, 1_000_000, quoted)
      expect(split(content, chunkBytes, quoted).map(line => [line.bytes.toString('hex'), line.end])).toEqual(whole.map(line => [line.bytes.toString('hex'), line.end]))
      for (const { end } of whole.slice(0, -1)) expect(Buffer.from(content, 'utf8')[end - 1]).toBe(10)
      const rest = whole[1]
      if (rest !== undefined) expect(texts(split(Buffer.from(content, 'utf8').subarray(whole[0]!.end).toString('utf8'), 1000, quoted))).toEqual(texts(whole.slice(1)))
    }),
  )
})
