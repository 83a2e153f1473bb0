// The ordered byte map: what every layout of state stands on, on disk (LevelDB) or in memory.

/** Keys from `from` (included) to `to` (excluded), in unsigned byte order. */
export interface ByteRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** Default ascending. */
  readonly order?: 'ascending' | 'descending'
}

export interface ByteEntry {
  readonly key: Buffer
  readonly value: Buffer
}

/** Bytes given to a map are copied; bytes that a map gives are the caller's to keep, but not to change. */
export interface ByteMap {
  /** One point read. */
  get(key: Uint8Array): Buffer | null
  batch(): ByteBatch
  /** The entries as they are at the first step. Ends early without harm. */
  scan(range: ByteRange): AsyncIterable<ByteEntry>
  /** The same without waiting: blocks the thread for each chunk that is not there yet. */
  scanSync(range: ByteRange): Iterable<ByteEntry>
  /** Removes the first `limit` entries of a range, or all. Visible at once or later, never after the promise. */
  clear(range: ByteRange, limit?: number): Promise<void>
  /** Bytes that the map holds, roughly; on disk without what was written last. */
  approximateBytes(): Promise<number>
  close(): Promise<void>
}

/** Writes that happen together or not at all, in the order given. Used once. */
export interface ByteBatch {
  /** Number of puts and deletes. */
  readonly length: number
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
  /** @throws MillraceError STATE_WRITE */
  write(): Promise<void>
}

/** The first key behind all keys that begin with `prefix`, which must not be all 0xff. */
export function prefixEnd(prefix: Uint8Array): Buffer {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 255) length--
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1]!++
  return end
}
