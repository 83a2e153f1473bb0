// Rows of CSV come apart into the fields that were put in, whatever they hold.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvFields } from '../../../cli/input/csv-row.ts'

test.each([
  ['a,b,c', ['a', 'b', 'c']],
  ['a,,c', ['a', '', 'c']],
  ['', ['']],
  [',', ['', '']],
  ['"a,b",c', ['a,b', 'c']],
  ['"say ""no""",x', ['say "no"', 'x']],
  ['"two\nlines",x', ['two\nlines', 'x']],
  ['"",""', ['', '']],
  ['a"b,c', ['a"b', 'c']],
  ['"a"b,c', ['ab', 'c']],
  ['"open', ['open']],
])('%j', (row, fields) => {
  expect(csvFields(row)).toEqual(fields)
})

test('what a writer of CSV quotes comes back', () => {
  const quoted = (field: string): string => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '\n', ' ', 'é') }), { minLength: 1 }), fields => {
      expect(csvFields(fields.map(quoted).join(','))).toEqual(fields)
    }),
  )
})
