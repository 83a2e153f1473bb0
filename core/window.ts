// Windows of event time: what a windowed key is, and which tumbling or hopping windows a timestamp falls into.

import { toMs, type Duration } from './duration.ts'
import { MillraceError } from './error.ts'
import type { Timestamp } from './record.ts'

/** A span of event time, `[start, end)` for tumbling and hopping windows. */
export interface Window {
  readonly start: Timestamp
  readonly end: Timestamp
}

/** A key within a window: the key of every windowed table. */
export interface Windowed<K> {
  readonly key: K
  readonly window: Window
}

/** Tumbling (`advanceMs === sizeMs`) or hopping windows, aligned to the epoch, and how long late records are taken. */
export interface TimeWindows {
  readonly kind: 'time'
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

/** Every window kind an aggregation can be cut by; more kinds join this union as they are built. */
export type Windows = TimeWindows

/** Tumbling windows: side by side, each `size` long. `grace` (default 0) is how long after its end a window still takes records. */
export function tumbling(size: Duration, options: { readonly grace?: Duration } = {}): TimeWindows {
  return hopping(size, size, options)
}

/** Hopping windows: one of `size` starts every `advance`, so they overlap. */
export function hopping(size: Duration, advance: Duration, options: { readonly grace?: Duration } = {}): TimeWindows {
  const sizeMs = toMs(size, 'window size')
  const advanceMs = toMs(advance, 'window advance')
  const graceMs = toMs(options.grace ?? 0, 'window grace')
  if (sizeMs <= 0) throw new MillraceError('BAD_WINDOW', `The window size is ${sizeMs} ms.`, { hint: 'It must be above zero.' })
  if (advanceMs <= 0 || advanceMs > sizeMs) {
    throw new MillraceError('BAD_WINDOW', `The window advance is ${advanceMs} ms for a size of ${sizeMs} ms.`, { hint: 'It must be above zero and at most the size.' })
  }
  if (graceMs < 0) throw new MillraceError('BAD_WINDOW', `The window grace is ${graceMs} ms.`, { hint: 'It must not be negative.' })
  return { kind: 'time', sizeMs, advanceMs, graceMs }
}

/** Start of the earliest window that holds `timestamp`; the others follow every `advanceMs` up to the timestamp. */
export function firstWindowStart(windows: TimeWindows, timestamp: Timestamp): Timestamp {
  const earliest = Math.max(0, timestamp - windows.sizeMs + windows.advanceMs)
  return earliest - (earliest % windows.advanceMs)
}
