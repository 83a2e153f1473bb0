// The engine on the embedded log: takes the data directory from the broker that serves it, runs the workload on it, and serves it again.

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { startBrokerProcess, stopBrokerProcess } from './broker-process.ts'

const [directory, port, ...engineOptions] = process.argv.slice(2)
const place = { command: resolve('dist/cli/main.js'), directory: directory!, port: Number(port) }

await stopBrokerProcess(place)
const { status, stdout } = spawnSync(process.execPath, ['tools/run-ts.mjs', 'test/bench/engine.ts', '--data', place.directory, ...engineOptions], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
await startBrokerProcess(place)
process.stdout.write(stdout)
process.exitCode = status ?? 1
