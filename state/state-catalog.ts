// What a task's byte map holds beside the rows: its format, the numbers of its stores, and the record of the last commit.

import { MillraceError } from '../core/error.ts'
import type { Offset } from '../core/record.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import { prefixEnd, type ByteBatch, type ByteMap } from './byte-map.ts'
import type { StoreMemo } from './write-back-store.ts'

/** What is kept of a commit beside the rows, as JSON under one key. */
export interface CommitRecord {
  readonly offsets: Readonly<Record<string, Offset>>
  readonly clocks: Readonly<Record<string, number>>
  readonly memos: Readonly<Record<string, StoreMemo>>
}

/** Raised when what is on disk is laid out in another way. */
const FORMAT = '1'
const CHECKPOINT_KEY = metaKey('checkpoint')
const FORMAT_KEY = metaKey('format')

/** @throws MillraceError STATE_FORMAT */
export function checkFormat(map: ByteMap, place: string): void {
  const format = map.get(FORMAT_KEY)?.toString()
  if (format === undefined || format === FORMAT) return
  throw new MillraceError('STATE_FORMAT', `The state in ${place} has format ${format}; this version of Millrace reads format ${FORMAT}.`, {
    hint: 'Delete that directory: it is rebuilt from the changelog.',
  })
}

export function readCommit(map: ByteMap): CommitRecord {
  const bytes = map.get(CHECKPOINT_KEY)
  return bytes === null ? { offsets: {}, clocks: {}, memos: {} } : (JSON.parse(bytes.toString()) as CommitRecord)
}

export function writeCommit(batch: ByteBatch, record: CommitRecord): void {
  batch.put(CHECKPOINT_KEY, Buffer.from(JSON.stringify(record)))
}

/**
 * The key prefix of each store on disk: its number, from 1, in two bytes. Stores that are new get the next numbers.
 * @throws MillraceError STATE_STORE_CHANGED
 */
export async function openPrefixes(map: ByteMap, stores: readonly StoreDescription[], place: string): Promise<Map<string, Buffer>> {
  const prefixes = new Map<string, Buffer>()
  let highest = 0
  const prefix = metaKey('store/')
  const known = new Map<string, { readonly id: number; readonly layout: string }>()
  for await (const { key, value } of map.scan({ from: prefix, to: prefixEnd(prefix) })) {
    const entry = JSON.parse(value.toString()) as { id: number; layout: string }
    known.set(key.subarray(prefix.length).toString(), entry)
    highest = Math.max(highest, entry.id)
  }
  const batch = map.batch()
  batch.put(FORMAT_KEY, Buffer.from(FORMAT))
  for (const store of stores) {
    if (store.medium === 'memory') continue
    const entry = known.get(store.name) ?? { id: ++highest, layout: layoutOf(store) }
    if (entry.layout !== layoutOf(store)) throw changed(store, entry.layout, place)
    if (!known.has(store.name)) batch.put(metaKey(`store/${store.name}`), Buffer.from(JSON.stringify(entry)))
    prefixes.set(store.name, Buffer.of(entry.id >>> 8, entry.id & 255))
  }
  if (batch.length > 1) await batch.write()
  return prefixes
}

function layoutOf(store: StoreDescription): string {
  return store.kind === 'key-value' ? `key-value${store.timestamped ? ' timestamped' : ''}` : store.kind
}

function changed(store: StoreDescription, layout: string, place: string): MillraceError {
  return new MillraceError('STATE_STORE_CHANGED', `The store ${store.name} in ${place} was a ${layout} store and is a ${layoutOf(store)} store now.`, {
    hint: 'Give it another name, or reset the application.',
  })
}

/** Keys beside the rows begin with two zero bytes. */
function metaKey(name: string): Buffer {
  return Buffer.concat([Buffer.of(0, 0), Buffer.from(name)])
}
