// Measures a restore: a changelog of 950,000 keys (8-byte keys, 8-byte values) into an empty store on LevelDB. `node tools/run-ts.mjs test/bench/state-restore.ts [KEYS] [UPDATES]`

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordCursor } from '../../core/record.ts'
import { systemClock } from '../../core/clock.ts'
import { seededRandom } from '../../core/random.ts'
import { serdes } from '../../core/serde.ts'
import { openTaskState } from '../../state/task-state.ts'
import { asKeyValue, keyValueDescription } from '../state/state-fixtures.ts'

const keys = Number(process.argv[2] ?? 950_000)
const updates = Number(process.argv[3] ?? 0)
const recordBytes = 16
const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
const description = keyValueDescription('store', { key: serdes.string, value: serdes.int64 })

const records = Buffer.alloc((keys + updates) * recordBytes)
const random = seededRandom(7)
const order = Uint32Array.from({ length: keys }, (_, i) => i)
for (let i = keys - 1; i > 0; i--) {
  const other = random.uint32() % (i + 1)
  const swapped = order[i]!
  order[i] = order[other]!
  order[other] = swapped
}
for (let i = 0; i < keys + updates; i++) {
  records.write(String(10_000_000 + (i < keys ? order[i]! : random.uint32() % keys)), i * recordBytes, 'latin1')
  records.writeBigInt64BE(BigInt(i), i * recordBytes + 8)
}

function cursorOver(from: number, to: number): RecordCursor {
  let at = from - 1
  const cursor = { buffer: records, offset: 0, timestamp: 0, keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0, headers: () => null, next }
  function next(): boolean {
    if (++at >= to) return false
    cursor.offset = at
    cursor.timestamp = 1_700_000_000_000 + at
    cursor.keyStart = at * recordBytes
    cursor.keyEnd = cursor.valueStart = cursor.keyStart + 8
    cursor.valueEnd = cursor.valueStart + 8
    return true
  }
  return cursor
}

const startedMs = systemClock.monotonic()
const before = process.cpuUsage()
const state = await openTaskState({ directory: join(directory, 'state'), stores: [description] })
for (let from = 0; from < keys + updates; from += 50_000) {
  state.restore('store', cursorOver(from, Math.min(keys + updates, from + 50_000)))
  await state.restoreSettled()
}
const readMs = systemClock.monotonic() - startedMs
await state.commitRestored({ changelogOffsets: new Map([['store', keys + updates]]), clocks: new Map() })
const used = process.cpuUsage(before)
const wallMs = systemClock.monotonic() - startedMs
const store = asKeyValue(state, 'store')
console.log(JSON.stringify({
  records: keys + updates,
  wallMs: Math.round(wallMs),
  readMs: Math.round(readMs),
  cpuSeconds: (used.user + used.system) / 1e6,
  rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  count: store.approximateCount(),
  probe: store.get('10000001') !== null && store.get('x') === null,
}))
await state.close()
const again = await openTaskState({ directory: join(directory, 'state'), stores: [description] })
let rows = 0
for (const row of asKeyValue(again, 'store').range(null, null)) if (row.value !== null) rows++
console.log(JSON.stringify({ rowsOnDisk: rows }))
await again.close()
await rm(directory, { recursive: true })
