// README's tables of what is served, and of what is set otherwise than in Apache Kafka, are the broker's own.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withTables } from '../../tools/readme-tables.ts'

test('README says what is served and set; if not, `npm run docs:apis` makes it so', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  expect(readme).toBe(withTables(readme))
})
