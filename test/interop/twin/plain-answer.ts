// An answer without what differs between any two brokers: ids by their names, times of today as such, records decoded, lists in one order.

import type { ApiName } from '../../../broker/wire/apis.ts'
import { RecordBatchCursor } from '../../../broker/wire/record-batch-cursor.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import type { Names } from './names.ts'

export type Body = Readonly<Record<string, unknown>>

/** `body` is the question. */
export function plainAnswer(api: ApiName, body: Body, answer: unknown, names: Names): unknown {
  return plain(answer, '', { api, names, isOfAll: listsAll(api, body) })
}

interface Circumstances {
  readonly api: ApiName
  readonly names: Names
  /** Other stories' things are in it, too. */
  readonly isOfAll: boolean
}

function listsAll(api: ApiName, body: Body): boolean {
  if (api === 'Metadata' || api === 'DescribeLogDirs') return body['topics'] === null || (body['topics'] as readonly unknown[] | undefined)?.length === 0
  return api === 'ListGroups' || api === 'ListTransactions' || api === 'ListConfigResources'
}

/** Of the broker, the moment or for people. */
const untold = new Set(['throttleTimeMs', 'errorMessage', 'batchIndexErrorMessage', 'host', 'port', 'clusterId', 'clientHost', 'clientId', 'documentation', 'finalizedFeaturesEpoch', 'logDir', 'totalBytes', 'usableBytes', 'partitionSize', 'sessionId', 'zkMigrationReady', 'nodeEndpoints'])
const identities = ['name', 'topic', 'groupId', 'transactionalId', 'resourceName'] as const
const startOfToday = 1_750_000_000_000
const farAway = 1e15

function plain(value: unknown, field: string, now: Circumstances): unknown {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return plainNumber(value, field, now)
  if (typeof value === 'string') return now.names.symbolOfText(value)
  if (Buffer.isBuffer(value)) return field === 'records' ? plainBatches(value, now.names) : value.toString('latin1')
  if (Array.isArray(value)) return plainList(value, field, now)
  const entries = Object.entries(value as Body).filter(([name]) => !untold.has(name))
  return Object.fromEntries(entries.map(([name, part]) => [name, plain(part, name, now)]))
}

function plainNumber(value: number, field: string, { names }: Circumstances): unknown {
  if (field === 'producerId') return names.symbolOfNumber(value)
  return value > startOfToday && value < farAway ? 'now' : value
}

function plainList(list: readonly unknown[], field: string, now: Circumstances): unknown {
  const mine = now.isOfAll ? list.filter(element => isOfStory(element, now.names)) : list
  const told = mine.map(element => plain(element, field, now))
  return told.every(element => typeof element === 'object') ? told.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : told
}

function isOfStory(element: unknown, names: Names): boolean {
  if (typeof element !== 'object' || element === null) return true
  const identity = identities.find(name => typeof (element as Body)[name] === 'string')
  return identity === undefined || ((element as Body)[identity] as string).startsWith(names.prefix)
}

/** What a fetch's limit cuts off at the end is left out. */
function plainBatches(run: Buffer, names: Names): readonly unknown[] {
  const batches: unknown[] = []
  for (let at = 0; ;) {
    const header = new RecordBatchHeader(run, at)
    if (at + 17 > run.length || !header.fits(run.length)) return batches
    batches.push(header.magic === 2 ? plainBatch(run, header, names) : `magic ${header.magic}`)
    at = header.end
  }
}

function plainBatch(run: Buffer, header: RecordBatchHeader, names: Names): unknown {
  const { baseOffset, lastOffset, leaderEpoch, attributes, producerId, producerEpoch, baseSequence, count, maxTimestamp } = header
  const told = { baseOffset, lastOffset, leaderEpoch, attributes, producerId: names.symbolOfNumber(producerId), producerEpoch, baseSequence, count, maxTimestamp: maxTimestamp > startOfToday && maxTimestamp < farAway ? 'now' : maxTimestamp }
  return { ...told, records: plainRecords(run.subarray(header.position, header.end), header) }
}

function plainRecords(batch: Buffer, header: RecordBatchHeader): unknown {
  if (header.isControl) return batch.subarray(61).toString('latin1').replace(/^[^]{4}/, '')
  try {
    const cursor = new RecordBatchCursor(batch, {})
    const records: unknown[] = []
    while (cursor.next()) {
      const { offset, timestamp, buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor
      const text = (start: number, end: number): string | null => (start < 0 ? null : buffer.toString('latin1', start, end))
      records.push([offset, timestamp > startOfToday && timestamp < farAway ? 'now' : timestamp, text(keyStart, keyEnd), text(valueStart, valueEnd), [...(cursor.headers() ?? [])].map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString('latin1')])])
    }
    return records
  } catch (error) {
    return `unreadable: ${(error as Error).message}`
  }
}
