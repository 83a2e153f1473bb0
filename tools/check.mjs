// Types, lint and the rules of the house, side by side (`npm run check`): all of them report, and one that fails fails the whole.

import { spawn } from 'node:child_process'

const CHECKS = {
  types: ['node_modules/typescript/bin/tsc'],
  examples: ['node_modules/typescript/bin/tsc', '-p', 'examples'],
  lint: ['node_modules/oxlint/bin/oxlint'],
  house: ['tools/run-ts.mjs', 'tools/check-house.ts'],
}

const results = await Promise.all(Object.entries(CHECKS).map(([name, command]) => run(name, command)))
for (const { name, output, code } of results) console.log(`── ${name}: ${code === 0 ? 'ok' : 'FAILED'}\n${output.trimEnd()}`)
process.exitCode = results.every(result => result.code === 0) ? 0 : 1

function run(name, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', data => (output += data))
    child.stderr.on('data', data => (output += data))
    child.once('error', reject)
    child.once('close', code => resolve({ name, output, code }))
  })
}
