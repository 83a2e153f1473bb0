// README's table of what is served is the broker's own table.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withServedApis } from '../../tools/served-apis.ts'

test('README says what is served; if not, `npm run docs:apis` makes it so', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  expect(readme).toBe(withServedApis(readme))
})
