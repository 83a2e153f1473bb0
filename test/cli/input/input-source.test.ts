// What may stand behind --input, --key and --timestamp.

import { expect, test } from 'vitest'
import { formatOf, parseFieldOption, parseInputOption } from '../../../cli/input/input-source.ts'

test.each([
  ['sentences=page.txt', ['sentences', { file: 'page.txt' }]],
  ['a=x=y.csv', ['a', { file: 'x=y.csv' }]],
  ['a=with,comma.csv', ['a', { file: 'with,comma.csv' }]],
  ['airports=a.csv,key=iata,at=0', ['airports', { file: 'a.csv', key: 'iata', at: '0' }]],
  ['f=-,format=ndjson,key=user.id,timestamp=date', ['f', { file: '-', format: 'ndjson', key: 'user.id', timestamp: 'date' }]],
])('--input %s', (text, expected) => {
  expect(parseInputOption(text)).toEqual(expected)
})

test.each(['page.txt', '=page.txt', 'a=', 'a=b,key=', 'a=b,format=xml', 'a=b,colour=red'])('--input %s is refused', text => {
  expect(() => parseInputOption(text)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error)
})

test('a field may be for one topic or for all', () => {
  expect(parseFieldOption('iata')).toEqual([null, 'iata'])
  expect(parseFieldOption('airports=iata')).toEqual(['airports', 'iata'])
})

test.each([
  ['a.ndjson', 'ndjson'],
  ['a.JSONL', 'ndjson'],
  ['a.csv', 'csv'],
  ['a.txt', 'lines'],
  ['-', 'lines'],
])('%s is %s', (file, format) => {
  expect(formatOf({ file })).toBe(format)
})
