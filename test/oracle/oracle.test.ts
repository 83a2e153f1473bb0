// Millrace answers as Apache Kafka Streams does: every case of the oracle that is made of operators we have.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readCases } from './oracle-case.ts'
import { runCase } from './run-case.ts'

const cases = fileURLToPath(new URL('cases', import.meta.url))
const families = readdirSync(cases).filter(name => name.endsWith('.ndjson.gz'))

/** Grows as operators are built; a case that passed once is never skipped again. */
const PASSING = 777

describe('the oracle', () => {
  let passed = 0

  test.each(families)('%s', family => {
    const results = readCases(`${cases}/${family}`).map(oracle => ({ name: oracle.name, ...runCase(oracle) }))
    passed += results.filter(result => result.kind === 'passed').length
    expect(results.filter(result => result.kind === 'failed')).toEqual([])
  })

  test('as many cases pass as ever', () => {
    expect(passed).toBeGreaterThanOrEqual(PASSING)
  })
})
