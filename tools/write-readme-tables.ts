// Writes the tables that are made from the code into README (`npm run docs:apis`).

import { readFileSync, writeFileSync } from 'node:fs'
import { withTables } from './readme-tables.ts'

const readme = readFileSync('README.md', 'utf8')
const written = withTables(readme)
if (written !== readme) writeFileSync('README.md', written)
console.log(written === readme ? 'README.md is as the code is already.' : 'README.md is as the code is now.')
