// A reader of a log that goes on behind each damage, as the log tells it where.

import { expect } from 'vitest'
import type { Log } from '../../../broker/log/log.ts'
import { recordsOf, type ReadRecord } from './batches.ts'

export function readOn(log: Log): readonly ReadRecord[] {
  const records: ReadRecord[] = []
  for (let offset = log.logStartOffset; offset < log.endOffset; ) {
    try {
      const read = log.read(offset, { maxBytes: 300, limit: log.endOffset, atLeastOne: true })
      if (read === null) break
      records.push(...recordsOf(read.records, offset))
      offset = read.nextOffset
    } catch (error) {
      const damage = log.damageFrom(offset)
      if (damage === null) throw error
      expect(damage.nextOffset).toBeGreaterThan(offset)
      offset = damage.nextOffset
    }
  }
  return records
}
