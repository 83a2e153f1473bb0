// Rows in the order of their keys: memory laid over disk, and the scans of many windows merged into one.

import type { ByteEntry } from './byte-map.ts'
import { orderedPosition, type OrderedRow } from './row-map.ts'
import type { StoredRow } from './row.ts'

/** Bounds by order, ends included; a null `high` is open. */
export interface OrderBounds {
  readonly low: string
  readonly high: string | null
  readonly ascending: boolean
}

/** The part of an ordered list within bounds; rows without value are left out. */
export function* scanList(list: readonly OrderedRow[], bounds: OrderBounds): Generator<OrderedRow, void, undefined> {
  const begin = orderedPosition(list, bounds.low, false)
  const end = bounds.high === null ? list.length : orderedPosition(list, bounds.high, true)
  for (let i = begin; i < end; i++) {
    const entry = list[bounds.ascending ? i : begin + end - 1 - i]!
    if (entry.row.value !== null) yield entry
  }
}

/** `over` laid on the rows of the disk; both in the same order. `orderOf` says the place of a disk entry, `rowOf` makes its row (the one in memory, if there is one). */
export function* scanOver(
  over: Iterator<OrderedRow, void, undefined>,
  disk: Iterable<ByteEntry>,
  ascending: boolean,
  orderOf: (entry: ByteEntry) => string,
  rowOf: (entry: ByteEntry, order: string) => StoredRow,
): Generator<OrderedRow, void, undefined> {
  let next = over.next()
  for (const entry of disk) {
    const order = orderOf(entry)
    while (next.done !== true && (ascending ? next.value.order < order : next.value.order > order)) {
      yield next.value
      next = over.next()
    }
    if (next.done !== true && next.value.order === order) next = over.next()
    const row = rowOf(entry, order)
    if (row.value !== null) yield { order, row }
  }
  while (next.done !== true) {
    yield next.value
    next = over.next()
  }
}

interface Head {
  entry: OrderedRow
  readonly place: number
  readonly rest: Iterator<OrderedRow, void, undefined>
}

/** Many ascending scans as one; entries of equal order come in the order of the scans. */
export function* mergeScans(scans: readonly Iterator<OrderedRow, void, undefined>[]): Generator<OrderedRow, void, undefined> {
  const heap: Head[] = []
  try {
    scans.forEach((rest, place) => {
      const first = rest.next()
      if (first.done !== true) siftUp(heap, { entry: first.value, place, rest })
    })
    for (let head = heap[0]; head !== undefined; head = heap[0]) {
      yield head.entry
      const next = head.rest.next()
      if (next.done === true) {
        const last = heap.pop()!
        if (last !== head) siftDown(heap, last)
      } else {
        head.entry = next.value
        siftDown(heap, head)
      }
    }
  } finally {
    for (const head of heap) head.rest.return?.()
  }
}

function isBefore(left: Head, right: Head): boolean {
  return left.entry.order < right.entry.order || (left.entry.order === right.entry.order && left.place < right.place)
}

function siftUp(heap: Head[], head: Head): void {
  let at = heap.length
  while (at > 0) {
    const parent = (at - 1) >>> 1
    if (!isBefore(head, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = head
}

function siftDown(heap: Head[], head: Head): void {
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, head)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = head
}
