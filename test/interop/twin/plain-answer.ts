// An answer without what differs between any two brokers: ids by their names, times of today as such, records decoded, lists in one order.

import type { ApiName } from '../../../broker/wire/apis.ts'
import { RecordBatchCursor } from '../../../broker/wire/record-batch-cursor.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import type { Names } from './names.ts'

export type Body = Readonly<Record<string, unknown>>

/** `body` is the question. */
export function plainAnswer(api: ApiName, body: Body, answer: unknown, names: Names): unknown {
  return plain(answer, '', { api, names, isOfAll: listsAll(api, body), hasRepeats: hasRepeats(body) })
}

interface Circumstances {
  readonly api: ApiName
  readonly names: Names
  /** Other stories' things are in it, too. */
  readonly isOfAll: boolean
  /** The question names something twice. */
  readonly hasRepeats: boolean
}

function listsAll(api: ApiName, body: Body): boolean {
  if (api === 'Metadata' || api === 'DescribeLogDirs') return body['topics'] === null || (body['topics'] as readonly unknown[] | undefined)?.length === 0
  if (api === 'ElectLeaders') return body['topicPartitions'] === null
  if (api === 'DescribeUserScramCredentials') return body['users'] === null || (body['users'] as readonly unknown[]).length === 0
  return api === 'ListGroups' || api === 'ListTransactions' || api === 'ListConfigResources'
}

/** Of the broker, the moment or for people. */
const untold = new Set(['throttleTimeMs', 'errorMessage', 'batchIndexErrorMessage', 'host', 'port', 'clusterId', 'clientHost', 'clientId', 'documentation', 'finalizedFeaturesEpoch', 'logDir', 'totalBytes', 'usableBytes', 'partitionSize', 'sessionId', 'zkMigrationReady', 'nodeEndpoints'])
const identities = ['name', 'topic', 'groupId', 'transactionalId', 'resourceName', 'user'] as const
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
  const told = gathered(field, mine).map(element => plain(element, field, now))
  if (unordered.has(field) && told.every(element => typeof element !== 'object')) return told.sort((a, b) => (String(a) < String(b) ? -1 : 1))
  if (!told.every(element => typeof element === 'object')) return told
  const sorted = told.map(element => ({ element, key: `${identityOf(element)} ${JSON.stringify(element)}` })).sort((a, b) => (a.key < b.key ? -1 : 1))
  return sorted.filter(({ key }, index) => !now.hasRepeats || key !== sorted[index - 1]?.key).map(({ element }) => element)
}

/** What answers of Produce and Fetch say of one topic in several places, in one. */
function gathered(field: string, list: readonly unknown[]): readonly unknown[] {
  if (field !== 'responses') return list
  const topics = new Map<unknown, Body>()
  for (const part of list as readonly Body[]) {
    const inner = 'partitions' in part ? 'partitions' : 'partitionResponses'
    const key = identityOf(part)
    const known = topics.get(key)
    topics.set(inner in part ? key : part, known === undefined || !(inner in part) ? part : { ...part, [inner]: [...(known[inner] as readonly unknown[]), ...(part[inner] as readonly unknown[])] })
  }
  return [...topics.values()]
}

/** Lists of numbers and names that stand for sets. */
const unordered: ReadonlySet<string> = new Set(['partitions', 'partitionIndexes', 'subscribedTopicNames'])

/** What the element is about: what it says of that comes after, so that two brokers who disagree are compared about the same. */
function identityOf(element: unknown): string {
  if (typeof element !== 'object' || element === null) return ''
  const { name, topic, resourceName, topicId, resourceType, index, partition, partitionIndex, groupId, memberId, transactionalId, user } = element as Readonly<Record<string, unknown>>
  const parts = [name, topic, resourceName, topicId, resourceType, index, partition, partitionIndex, groupId, memberId, transactionalId, user]
  return parts.every(part => part === undefined) ? '' : JSON.stringify(parts)
}

/** Whether some list in it names a thing more than once; brokers need not agree on how often they answer that. */
export function hasRepeats(value: unknown): boolean {
  if (Array.isArray(value)) return new Set(value.map(element => identityOf(element) || JSON.stringify(element))).size < value.length || value.some(hasRepeats)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasRepeats)
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
