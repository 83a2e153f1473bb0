// The upkeep of a partition's log: what is older or more than its topic keeps is freed, and compaction leaves the last record of each key.

import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { compact, compactionRange } from '../log/compaction.ts'
import { retainedFrom } from '../log/retention.ts'
import type { BrokerMeters } from './broker-meters.ts'
import type { Partition } from './partition.ts'

export interface UpkeepParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly meters: BrokerMeters
}

/** Frees what is older or more than the topic keeps. @throws MillraceError KAFKA_STORAGE_ERROR */
export async function retain(partition: Partition, { clock, logger }: UpkeepParts): Promise<void> {
  const { settings, log, name, highWatermark } = partition
  if (!settings.delete || partition.isClosed) return
  const from = retainedFrom(log, settings, highWatermark, clock.now())
  if (from <= log.logStartOffset) return
  if (from === log.endOffset) log.roll()
  await partition.deleteRecords(from)
  logger.info('deleted old segments of a log', { partition: name, logStartOffset: from })
}

export interface CompactionTurns {
  /** Bounds the memory that it takes. */
  readonly maxKeyBytes: number
  /** Awaited now and then, so that others have their turn. */
  readonly pause: () => Promise<void>
}

/** Compacts what is worth it, once. @throws MillraceError KAFKA_STORAGE_ERROR, DISK_FULL and others */
export async function compactOnce(partition: Partition, { maxKeyBytes, pause }: CompactionTurns, { clock, logger, meters }: UpkeepParts): Promise<void> {
  const { log, name, transactions } = partition
  if (!partition.settings.compact || partition.isClosed) return
  const settings = { ...partition.settings, maxKeyBytes }
  const now = clock.now()
  if (compactionRange(log, settings, partition.lastStableOffset, now) === null) return
  await partition.checkpoint()
  // What is rewritten must lie before the point that a recovery begins at; segments may have been rolled since.
  const range = partition.isClosed ? null : compactionRange(log, settings, Math.min(partition.lastStableOffset, log.recoveredFrom), now)
  if (range === null) return
  const { from, to, bytesBefore, bytesAfter } = await compact(log, range, { ...settings, aborted: transactions.abortedRecords() }, now, pause)
  if (partition.isClosed) return
  transactions.forgetAborted(to)
  await partition.checkpoint()
  meters.compactedBytesBefore.add(bytesBefore)
  meters.compactedBytesAfter.add(bytesAfter)
  logger.info('compacted a log', { partition: name, from, to, bytesBefore, bytesAfter })
}
