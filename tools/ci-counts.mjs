// Prints `PASSED FAILED` from the result files in a folder: vitest's JSON, or a text whose last line says `N passed, N failed`.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
const counts = readdirSync(folder).map(file => countsOf(readFileSync(join(folder, file), 'utf8')))
if (counts.length > 0) console.log(counts.reduce((sum, [passed, failed]) => [sum[0] + passed, sum[1] + failed], [0, 0]).join(' '))

function countsOf(text) {
  if (text.startsWith('{')) {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(text)
    return [numPassedTests, numFailedTests === 0 ? Math.min(1, numFailedTestSuites) : numFailedTests]
  }
  const found = /(\d+) passed, (\d+) failed[^\n]*\n*$/.exec(text)
  return found === null ? [0, 1] : [Number(found[1]), Number(found[2])]
}
