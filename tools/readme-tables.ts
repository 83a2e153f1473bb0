// Puts the tables that are made from the code into README, between their marks.

import { differingDefaultsTable } from './differing-defaults.ts'
import { servedApisTable } from './served-apis.ts'

const tables: Readonly<Record<string, () => string>> = { 'requests served': servedApisTable, 'differing defaults': differingDefaultsTable }

/** README with its tables as they are now. @throws Error where marks are missing */
export function withTables(readme: string): string {
  let text = readme
  for (const [name, table] of Object.entries(tables)) text = withTable(text, name, table())
  return text
}

function withTable(readme: string, name: string, table: string): string {
  const start = `<!-- ${name}: made by \`npm run docs:apis\` -->\n`
  const end = `\n<!-- end of ${name} -->`
  const from = readme.indexOf(start)
  const to = readme.indexOf(end)
  if (from < 0 || to < from) throw new Error(`README.md has no marks for the table of ${name}`)
  return readme.slice(0, from) + start + table + readme.slice(to)
}
