// Held-back updates against a model: the last write of each row, in the order of those writes, with the value before the first.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { serdes } from '../../../core/serde.ts'
import { HeldUpdates } from '../../../runtime/operators/held-updates.ts'
import { TaskContext } from '../../../runtime/operators/task-context.ts'
import { memoryTaskState } from '../../../state/memory-task-state.ts'
import type { KeyValueStore } from '../../../state/store.ts'

function store(): KeyValueStore<unknown, unknown> {
  const state = memoryTaskState([{ kind: 'key-value', name: 's', key: serdes.string, value: serdes.int32, medium: 'memory', logged: false, topicConfig: {}, cached: true, timestamped: true }])
  return state.store('s') as KeyValueStore<unknown, unknown>
}

function context(): TaskContext {
  return new TaskContext({
    applicationId: 'app',
    taskId: '0_0',
    partition: 0,
    stores: new Map(),
    globals: new Map(),
    repartitions: new Map(),
    collector: { send() {}, partitionsOf: () => 1 },
    onDeserializationError: 'fail',
    onProcessingError: 'fail',
    headersChange: false,
    holdUpdates: true,
    clocks: new Map(),
  })
}

test('agrees with the model, however many writes there are between two flushes', () => {
  const writes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9)), { maxLength: 400 })
  fc.assert(
    fc.property(fc.array(writes, { maxLength: 4 }), flushes => {
      const [held, rows, task] = [new HeldUpdates(), store(), context()]
      const flushed = new Map<string, number>()
      let offset = 0
      for (const flush of flushes) {
        const model = new Map<string, { oldValue: number | null; value: number; offset: number }>()
        for (const [key, value] of flush) {
          const row = rows.row(key)
          task.topic = 'in'
          task.offset = offset++
          held.hold(row, row.value, task.offset, null, task)
          rows.write(row, value, task.offset)
          model.delete(key)
          model.set(key, { oldValue: flushed.get(key) ?? null, value, offset: task.offset })
        }
        const sent: unknown[] = []
        held.release(task, (row, { oldValue, timestamp }) => sent.push([row.key, { oldValue, value: row.value, offset: timestamp }, task.offset]))
        expect(sent).toEqual([...model].map(([key, update]) => [key, update, update.offset]))
        for (const [key, { value }] of model) flushed.set(key, value)
      }
    }),
  )
})
