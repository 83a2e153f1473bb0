// `npm run oracle -- PATH…`: runs files or folders of oracle cases and says how many pass; exit status 1 if one fails.

import { readCases } from './oracle-case.ts'
import { runCase } from './run-case.ts'

/** Failures shown in full; the others by name. */
const SHOWN = 10

const paths = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const shown = process.argv.includes('--all') ? Infinity : SHOWN
if (paths.length === 0) {
  console.error('usage: npm run oracle -- PATH… [--all]   (files or folders of cases; test/oracle/cases has them)')
  process.exit(2)
}

let passed = 0
const failures: { readonly name: string; readonly why: string }[] = []
const skips = new Map<string, number>()
for (const path of paths) {
  for (const oracle of readCases(path)) {
    const result = runCase(oracle)
    if (result.kind === 'passed') passed++
    else if (result.kind === 'failed') failures.push({ name: oracle.name, why: result.why })
    else skips.set(result.why, (skips.get(result.why) ?? 0) + 1)
  }
}

for (const { name, why } of failures.slice(0, shown)) console.log(`FAILED ${name}: ${why}\n`)
if (failures.length > shown) console.log(`FAILED, too: ${failures.slice(shown).map(failure => failure.name).join(', ')}\n`)
for (const [why, count] of [...skips].sort((left, right) => right[1] - left[1])) console.log(`skipped, ${why} (${count})`)
const skipped = [...skips.values()].reduce((sum, count) => sum + count, 0)
console.log(`${passed} passed, ${failures.length} failed, ${skipped} skipped`)
process.exitCode = failures.length === 0 ? 0 : 1
