// Measures what a store costs an aggregation: 3 M counts over 1 M keys with commits. `node tools/run-ts.mjs test/bench/state-count.ts [KEYS] [RECORDS] [BUDGET_MIB] [RECORDS_PER_COMMIT]`

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { seededRandom } from '../../core/random.ts'
import { StateBudget } from '../../state/state-budget.ts'
import { openTaskState } from '../../state/task-state.ts'
import { asKeyValue, keyValueDescription } from '../state/state-fixtures.ts'

const keys = Number(process.argv[2] ?? 1_000_000)
const records = Number(process.argv[3] ?? 3_000_000)
const budget = new StateBudget(Number(process.argv[4] ?? 64) * 1024 * 1024)
const recordsPerCommit = Number(process.argv[5] ?? 50_000)
const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
const state = await openTaskState({ directory: join(directory, 'state'), stores: [keyValueDescription('store')], budget })
const store = asKeyValue(state, 'store')
const random = seededRandom(7)
let changelogRecords = 0
const base = process.cpuUsage()
for (let i = 0; i < records; i++) void `key-${random.uint32() % keys}`
const overhead = process.cpuUsage(base)

let peakRss = 0
let last = process.cpuUsage()
const startedMs = systemClock.monotonic()
for (let from = 0; from < records; from += recordsPerCommit) {
  for (let i = 0; i < recordsPerCommit; i++) {
    const row = store.row(`key-${random.uint32() % keys}`)
    store.write(row, ((row.value as number | null) ?? 0) + 1, 1_700_000_000_000 + i)
  }
  state.flush(() => void changelogRecords++)
  await state.commit({ changelogOffsets: new Map([['store', changelogRecords]]), clocks: new Map() })
  peakRss = Math.max(peakRss, process.memoryUsage.rss())
  if ((from / recordsPerCommit) % Math.ceil(records / recordsPerCommit / 6) === 0) {
    const now = process.cpuUsage()
    console.log(`${from + recordsPerCommit} records, ${Math.round(budget.heldBytes / 1e6)} MB held, ${((now.user + now.system - last.user - last.system) / 1e6).toFixed(2)} CPU s since the last line`)
    last = now
  }
}
const wallMs = systemClock.monotonic() - startedMs
const used = process.cpuUsage(base)
console.log(JSON.stringify({
  keys,
  records,
  wallMs: Math.round(wallMs),
  cpuMicrosPerRecord: (used.user + used.system - 2 * (overhead.user + overhead.system)) / records,
  changelogRecords,
  count: store.approximateCount(),
  peakRssMb: Math.round(peakRss / 1e6),
}))
await state.close()
await rm(directory, { recursive: true })
