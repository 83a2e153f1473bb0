// Writes the table of served APIs into README (`npm run docs:apis`).

import { readFileSync, writeFileSync } from 'node:fs'
import { withServedApis } from './served-apis.ts'

const readme = readFileSync('README.md', 'utf8')
const written = withServedApis(readme)
if (written !== readme) writeFileSync('README.md', written)
console.log(written === readme ? 'README.md says what is served already.' : 'README.md says what is served now.')
