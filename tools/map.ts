// Prints the map of the house: the first sentence of every file, top floor to ground (`npm run map`).

import { readFaces, sourceFiles } from './source-tree.ts'

const FLOORS = ['cli', 'runtime', 'broker', 'state', 'dsl', 'core', 'test/kit']
const root = process.cwd()
const bold = process.stdout.isTTY ? (text: string): string => `\x1b[1m${text}\x1b[22m` : (text: string): string => text

for (const floor of FLOORS) {
  const files = sourceFiles(root, [floor], readFaces(root))
  console.log(bold(`${floor}/`))
  for (const { path, opening } of files) console.log(`  ${path.slice(floor.length + 1).padEnd(34)} ${firstSentence(opening)}`)
}

function firstSentence(opening: string | null): string {
  if (opening === null) return '(does not say)'
  return /^.*?[.!?](?=\s|$)/.exec(opening)?.[0] ?? opening
}
