// The public face of the state floor: stores, the tasks' state that holds them, and the memory they share.

export type { ChangelogSink, Checkpoint, KeyValueStore, Row, Store, TaskState, WindowStore } from './store.ts'
export { memoryTaskState } from './memory-task-state.ts'
export { StateBudget, DEFAULT_STATE_BUDGET_BYTES } from './state-budget.ts'
export { openTaskState, openTaskStateOn, type TaskStateOptions } from './task-state.ts'
export type { ByteBatch, ByteEntry, ByteMap, ByteRange } from './byte-map.ts'
export { MemoryByteMap } from './memory-byte-map.ts'
export { openLevelByteMap, type LevelOptions } from './level-byte-map.ts'
