// `millrace records`: where the records of topics begin and end, and the deletion of old ones.

import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { MillraceError } from '../../core/error.ts'
import { partitionName, splitPartitionName, type Offset, type TopicPartition } from '../../core/record.ts'
import { expectTopics } from '../cluster/known-names.ts'
import { partitionsOf } from '../cluster/partition-choice.ts'
import { offsetsIn, time } from '../cluster/reset-plan.ts'
import { cell, writeListing, type ListingOptions } from '../terminal/listing.ts'
import { withAdmin, type LogPlace } from '../terminal/log-connection.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { wholeNumber } from '../terminal/whole-number.ts'

export interface RecordsOptions extends LogPlace, ListingOptions {
  readonly verbose?: boolean
}

/** The offset of each partition at a place or a time; none where no record is that late. */
export async function listOffsets(topics: readonly string[], options: RecordsOptions & { readonly at?: string }, terminal: Terminal): Promise<void> {
  const { at = 'latest' } = options
  const place = at === 'earliest' || at === 'latest' ? at : { timestamp: time('--at', at) }
  await withAdmin(options, terminal, async admin => {
    const partitions = await partitionsOf(admin, topics)
    const offsets = await admin.listOffsets(partitions, place)
    const rows = partitions.map(({ topic, partition }) => ({ topic, partition, offset: known(offsets.get(partitionName(topic, partition))) }))
    await writeListing(rows, [{ title: 'topic' }, { title: 'partition', right: true }, { title: 'offset', right: true }], ({ topic, partition, offset }) => [topic, String(partition), cell(offset)], options, terminal)
  })
}

function known(offset: Offset | undefined): Offset | null {
  return offset === undefined || offset < 0 ? null : offset
}

export interface DeleteRecordsOptions extends RecordsOptions {
  /** An offset, or `end`: all that is there. */
  readonly before?: string
  readonly beforeDatetime?: string
  readonly fromFile?: string
}

/** Makes records below the offsets unreadable, for ever. Shows where each partition begins then. */
export async function deleteRecords(topics: readonly string[], options: DeleteRecordsOptions, terminal: Terminal): Promise<void> {
  const given = [options.before, options.beforeDatetime, options.fromFile].filter(value => value !== undefined)
  if (given.length !== 1 || (topics.length === 0) !== (options.fromFile !== undefined)) {
    throw new MillraceError('USAGE', 'It is not said which records.', { hint: 'Give topics and --before OFFSET, --before end or --before-datetime TIME; or --from-file alone.' })
  }
  await withAdmin(options, terminal, async admin => {
    const before = await targets(admin, topics, options)
    await admin.deleteRecords(before)
    const begins = await admin.listOffsets(before, 'earliest')
    const rows = before.map(({ topic, partition }) => ({ topic, partition, begin: known(begins.get(partitionName(topic, partition))) }))
    await writeListing(rows, [{ title: 'topic' }, { title: 'partition', right: true }, { title: 'begin', right: true }], ({ topic, partition, begin }) => [topic, String(partition), cell(begin)], options, terminal)
  })
}

type Before = TopicPartition & { readonly offset: Offset }

/** The end is asked for by name, as Kafka has it: what is written meanwhile stays. */
async function targets(admin: ClusterAdmin, topics: readonly string[], { before, beforeDatetime, fromFile }: DeleteRecordsOptions): Promise<readonly Before[]> {
  if (fromFile !== undefined) {
    const offsets = [...(await offsetsIn(fromFile))].map(([name, offset]) => ({ ...splitPartitionName(name), offset }))
    await expectTopics(admin, [...new Set(offsets.map(({ topic }) => topic))])
    return offsets
  }
  const partitions = await partitionsOf(admin, topics)
  const ends = await admin.listOffsets(partitions, 'latest')
  if (beforeDatetime === undefined) {
    const offset = before === 'end' ? null : wholeNumber('--before', before!, 0)
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: offset ?? ends.get(partitionName(topic, partition))! }))
  }
  const times = await admin.listOffsets(partitions, { timestamp: time('--before-datetime', beforeDatetime) })
  return partitions.map(({ topic, partition }) => ({ topic, partition, offset: known(times.get(partitionName(topic, partition))) ?? ends.get(partitionName(topic, partition))! }))
}
