// Proves that state may be larger than memory: 5 M keys of 100-byte values with 64 MB for rows. `node tools/run-ts.mjs test/bench/state-big.ts [KEYS] [UPDATES] [BUDGET_MIB]`

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { seededRandom } from '../../core/random.ts'
import { serdes } from '../../core/serde.ts'
import { StateBudget } from '../../state/state-budget.ts'
import { openTaskState } from '../../state/task-state.ts'
import { asKeyValue, keyValueDescription } from '../state/state-fixtures.ts'

const keys = Number(process.argv[2] ?? 5_000_000)
const updates = Number(process.argv[3] ?? 1_000_000)
const budget = new StateBudget(Number(process.argv[4] ?? 64) * 1024 * 1024)
const recordsPerCommit = 50_000
const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
const description = keyValueDescription('store', { value: serdes.bytes })
let state = await openTaskState({ directory: join(directory, 'state'), stores: [description], budget })
let store = asKeyValue(state, 'store')
const random = seededRandom(7)
let changelogRecords = 0
let peakRss = 0

async function phase(name: string, records: number, each: (i: number) => void): Promise<void> {
  const startedMs = systemClock.monotonic()
  const before = process.cpuUsage()
  for (let from = 0; from < records; from += recordsPerCommit) {
    for (let i = from; i < Math.min(records, from + recordsPerCommit); i++) each(i)
    state.flush(() => void changelogRecords++)
    await state.commit({ changelogOffsets: new Map([['store', changelogRecords]]), clocks: new Map() })
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }
  const used = process.cpuUsage(before)
  console.log(JSON.stringify({
    phase: name,
    records,
    wallMs: Math.round(systemClock.monotonic() - startedMs),
    cpuMicrosPerRecord: Number(((used.user + used.system) / records).toFixed(2)),
    heldMb: Math.round(budget.heldBytes / 1e6),
    peakRssMb: Math.round(peakRss / 1e6),
  }))
}

const keyOf = (n: number): string => `customer-${n}`
await phase('fill in random order', keys, i => store.put(keyOf((i * 7_368_787) % keys), Buffer.alloc(100, i), 1_700_000_000_000 + i))
await phase('update at random', updates, i => {
  const row = store.row(keyOf(random.uint32() % keys))
  if (row.value === null) throw new Error(`${String(row.key)} is gone`)
  store.write(row, Buffer.alloc(100, i), 1_700_000_000_000 + i)
})
await phase('update the hot 100,000', updates, i => {
  const row = store.row(keyOf(random.uint32() % Math.min(keys, 100_000)))
  if (row.value === null) throw new Error(`${String(row.key)} is gone`)
  store.write(row, Buffer.alloc(100, i), 1_700_000_000_000 + i)
})
const closingMs = systemClock.monotonic()
await state.close()
state = await openTaskState({ directory: join(directory, 'state'), stores: [description], budget })
store = asKeyValue(state, 'store')
console.log(JSON.stringify({ phase: 'close and open again', wallMs: Math.round(systemClock.monotonic() - closingMs), count: store.approximateCount() }))
const scanningMs = systemClock.monotonic()
let rows = 0
for (const row of store.range(null, null)) if (row.value !== null) rows++
console.log(JSON.stringify({ phase: 'scan', rows, wallMs: Math.round(systemClock.monotonic() - scanningMs), peakRssMb: Math.round(Math.max(peakRss, process.memoryUsage.rss()) / 1e6) }))
await state.close()
await rm(directory, { recursive: true })
if (rows !== keys) throw new Error(`${keys} keys were written, ${rows} are there`)
