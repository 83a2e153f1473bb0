// Which records of a log are old or many enough to go.

import type { Offset, Timestamp } from '../../core/record.ts'
import type { Log } from './log.ts'

export interface RetentionSettings {
  /** -1: no limit; so is retentionBytes. */
  readonly retentionMs: number
  readonly retentionBytes: number
}

/** The offset that the log should begin at: that of the first segment which stays, or the end if none does. Only acknowledged records go. */
export function retainedFrom(log: Log, settings: RetentionSettings, highWatermark: Offset, now: Timestamp): Offset {
  const { retentionMs, retentionBytes } = settings
  let excessBytes = retentionBytes < 0 ? 0 : log.bytes - retentionBytes
  let from = log.logStartOffset
  for (const [index, segment] of log.segments.entries()) {
    const end = log.segments[index + 1]?.baseOffset ?? log.endOffset
    const isActive = index === log.segments.length - 1
    const newest = segment.newestTime
    const isOld = retentionMs >= 0 && newest !== null && newest < now - retentionMs
    const isTooMuch = !isActive && retentionBytes >= 0 && excessBytes >= segment.size
    if (segment.size === 0 && !isActive) continue
    if (end > highWatermark || segment.size === 0) break
    if (newest === null && !isTooMuch && !isActive) {
      // Where nobody knows it is as old as the next one.
      excessBytes = 0
      continue
    }
    if (!isOld && !isTooMuch) break
    excessBytes -= segment.size
    from = Math.max(from, end)
  }
  return from
}
