// A partition's log: record batches in segments on a disk, appended at the end, read by offset or time, recovered after a crash.

import { assert } from '../../core/error.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import { isDiskFull } from '../disk/disk.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { CheckpointKeeper, type KnownCheckpoint } from './checkpoint-keeper.ts'
import type { Checkpoint, Json, RecoveryPoint } from './checkpoint.ts'
import { damageError, type Damage } from './damage.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import { ReadingPlaces } from './reading-places.ts'
import { RecoveredTail, type FoundBytes } from './recovered-tail.ts'
import { followedBy, isFull, type LogSettings } from './segment-rolling.ts'
import { placeOf, segmentIndexOf, startOfNext } from './segment-search.ts'
import { SegmentRewriting } from './segment-rewriting.ts'
import type { Segment } from './segment.ts'
import { discard, type SegmentHome } from './segment-home.ts'

/** What a log is made of; recovery.ts puts it together from a directory. */
export interface LogParts {
  readonly home: SegmentHome
  readonly settings: LogSettings
  /** In order; the last one is appended to. */
  readonly segments: readonly Segment[]
  /** What lies in them behind the checkpoint. */
  readonly recovered: readonly FoundBytes[]
  readonly logStartOffset: Offset
  readonly endOffset: Offset
  readonly durableOffset: Offset
  readonly leaderEpochs: LeaderEpochs
  readonly compactedOffset: Offset
  readonly checkpoint: KnownCheckpoint
}

export interface LogReadOptions {
  readonly maxBytes: number
  /** Records from this offset on are not read. */
  readonly limit: Offset
  /** A first batch that is larger than `maxBytes` is read all the same. */
  readonly atLeastOne: boolean
}

export interface LogRead {
  readonly records: Buffer
  /** Where reading goes on. */
  readonly nextOffset: Offset
}

export class Log {
  readonly #home: SegmentHome
  #settings: LogSettings
  #segments: Segment[]
  #active: Segment
  readonly leaderEpochs: LeaderEpochs
  #logStartOffset: Offset
  #endOffset: Offset
  #durableOffset: Offset
  /** Records below were compacted before; see compaction.ts. */
  compactedOffset: Offset
  /** Segments that were rolled and not synced yet. */
  #unsynced: Segment[]
  readonly #recovered: RecoveredTail
  #namesChanged = true
  /** Since when the active segment is written to by this process; null before it is, or where nobody says what time it is. */
  #activeSince: Timestamp | null = null
  readonly #checkpoints: CheckpointKeeper
  #syncing: Promise<void> | null = null
  #nextSync: Promise<void> | null = null
  /** Raised when the end is cut: a sync begun before says nothing about what came after. */
  #cuts = 0
  /** Nothing is appended to a file whose end was cut: a crash might bring back some pages of what was cut, between what was appended since. */
  #isActiveCut = false
  #closed = false
  readonly #places = new ReadingPlaces()
  readonly #header = new RecordBatchHeader(Buffer.alloc(0))

  constructor(parts: LogParts) {
    assert(parts.segments.length > 0, 'a log has a segment')
    this.#home = parts.home
    this.#settings = parts.settings
    this.#segments = [...parts.segments]
    this.#active = parts.segments.at(-1)!
    this.#recovered = new RecoveredTail(parts.recovered, parts.endOffset)
    this.#unsynced = parts.recovered.map(({ segment }) => segment).filter(segment => segment !== this.#active)
    this.leaderEpochs = parts.leaderEpochs
    this.#logStartOffset = parts.logStartOffset
    this.#endOffset = parts.endOffset
    this.#durableOffset = parts.durableOffset
    this.compactedOffset = parts.compactedOffset
    this.#checkpoints = new CheckpointKeeper(parts.home.disk, parts.home.directory, parts.checkpoint)
    for (const segment of this.#segments) segment.indexIntervalBytes = parts.settings.indexIntervalBytes
  }

  get directory(): string {
    return this.#home.directory
  }

  get logStartOffset(): Offset {
    return this.#logStartOffset
  }

  /** Offset that the next record will get. */
  get endOffset(): Offset {
    return this.#endOffset
  }

  /** Everything below is on the medium. */
  get durableOffset(): Offset {
    return this.#durableOffset
  }

  /** In order; the last one is appended to. */
  get segments(): readonly Segment[] {
    return this.#segments
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  get fileDeleteDelayMs(): number {
    return this.#settings.fileDeleteDelayMs ?? 0
  }

  configure(settings: LogSettings): void {
    this.#settings = settings
    this.#active.indexIntervalBytes = settings.indexIntervalBytes
  }

  /**
   * Appends one batch that was checked before, giving it the next offsets: base offset and leader epoch are written into it in place.
   * Answers the first. It is in the page cache then; see {@link sync}. `now` is the broker's clock, for records without timestamps. @throws MillraceError DISK_FULL, DISK_FAILED; nothing was appended then
   */
  append(batch: Buffer, leaderEpoch: number, now: Timestamp | null = null): Offset {
    assert(!this.#closed, 'append to a closed log')
    const baseOffset = this.#endOffset
    const header = this.#header.moveTo(batch, 0)
    header.baseOffset = baseOffset
    header.leaderEpoch = leaderEpoch
    const ageMs = now === null || this.#activeSince === null ? 0 : now - this.#activeSince
    if (this.#isActiveCut || isFull(this.#active, header, this.#settings, ageMs)) this.roll()
    this.#active.append(batch, header)
    this.#activeSince ??= now
    this.leaderEpochs.assign(leaderEpoch, baseOffset)
    this.#endOffset = header.lastOffset + 1
    return baseOffset
  }

  /** Begins a new segment. */
  roll(): void {
    const baseOffset = this.#endOffset
    const isEmpty = this.#active.size === 0
    if (isEmpty && this.#active.baseOffset === baseOffset && !this.#isActiveCut) return
    const next = followedBy(this.#home, this.#active, baseOffset)
    next.indexIntervalBytes = this.#settings.indexIntervalBytes
    if (isEmpty) this.#segments.pop()
    else this.#unsynced.push(this.#active)
    this.#segments.push(next)
    this.#active = next
    this.#isActiveCut = false
    this.#activeSince = null
    this.#namesChanged = true
  }

  /** Whole batches from the one that holds `offset` on. Null if there are none below the limit, or the first is too large. @throws MillraceError LOG_CORRUPT */
  read(offset: Offset, options: LogReadOptions): LogRead | null {
    assert(offset >= this.#logStartOffset && options.limit <= this.#endOffset, `a read at ${offset} lies within the log`)
    if (offset >= options.limit) return null
    let place = this.#places.get(offset) ?? placeOf(this.#segments, offset)
    const damage = this.damageAt(offset)
    if (damage !== null) throw damageError(this.#home.disk.name, damage)
    while (place !== null) {
      const read = place.segment.read(place.position, { ...options, offset })
      if (read !== null) {
        this.#places.set(read.nextOffset, { segment: place.segment, position: read.end })
        return read
      }
      if (place.position < place.segment.size) return null
      place = startOfNext(this.#segments, place.segment)
    }
    return null
  }

  /** Resolves when all that was appended before the call is on the medium. Calls while one is under way share the next. @throws MillraceError DISK_FAILED, DISK_FULL */
  sync(): Promise<void> {
    if (this.#syncing !== null) return (this.#nextSync ??= this.#afterSync(this.#syncing))
    if ((this.#durableOffset === this.#endOffset && this.#unsynced.length === 0) || this.#closed) return Promise.resolve()
    const syncing = this.#syncNow()
    this.#syncing = syncing
    const done = (): void => void (this.#syncing = null)
    syncing.then(done, done)
    return syncing
  }

  async #afterSync(current: Promise<void>): Promise<void> {
    // Where that one fails this one does, too: a medium that has lost pages says so once, and then that all is well.
    try {
      await current
    } finally {
      this.#nextSync = null
    }
    await this.sync()
  }

  async #syncNow(): Promise<void> {
    const target = this.#endOffset
    const cuts = this.#cuts
    // Those of now: one that is rolled meanwhile is for the next sync.
    const rolled = [...this.#unsynced]
    const active = this.#active
    if (this.#checkpoints.isMissing) await this.#saveFirst()
    if (this.#namesChanged) {
      this.#namesChanged = false
      await this.#home.disk.syncDirectory(this.directory).catch((error: unknown) => {
        this.#namesChanged = true
        throw error
      })
    }
    try {
      for (const segment of rolled) await segment.syncWithIndexes()
      if (!this.#closed) await active.sync()
    } catch (error) {
      if (!this.#closed) this.#recovered.writeAgain()
      throw error
    }
    if (cuts !== this.#cuts || this.#closed) return
    this.#unsynced = this.#unsynced.filter(segment => !rolled.includes(segment))
    this.#recovered.synced()
    this.#durableOffset = Math.max(this.#durableOffset, target)
  }

  /** A place up to which the log may be trusted once a `sync` that begins now is done; see {@link saveCheckpoint}. */
  recoveryPoint(): RecoveryPoint {
    return { segment: this.#active.baseOffset, position: this.#active.size, offset: this.#endOffset, newest: this.#active.newest, indexes: this.#active.indexSums }
  }

  /**
   * Writes down that everything before `point` is on the medium (a `sync` begun after it was taken is done), with the owner's state at that point,
   * where the log begins, and what is compact. Does nothing where that is written already.
   */
  async saveCheckpoint(point: RecoveryPoint, state: Json): Promise<void> {
    assert(point.offset <= this.#durableOffset, 'a checkpoint says only what is durable')
    const cuts = this.#cuts
    await this.#checkpoints.save(this.#checkpoint(point, state), async () => {
      assert(cuts === this.#cuts, 'a log is not cut while its checkpoint is written')
      await this.#segments.find(({ baseOffset }) => baseOffset === point.segment)?.saveIndexes()
    })
    if (!this.#closed) this.#free()
  }

  /** Base offset of the segment that a start after a crash begins to look at; Infinity if it looks at all of them. Those before hold nothing that it must find. */
  get recoveredFrom(): Offset {
    return this.#checkpoints.segment
  }

  /** Says no more than where the log begins. */
  #saveFirst(): Promise<void> {
    const { baseOffset } = this.#segments[0]!
    return this.#checkpoints.save(this.#checkpoint({ segment: baseOffset, position: 0, offset: baseOffset, newest: null }, null), async () => {})
  }

  #checkpoint(point: RecoveryPoint, state: Json): Checkpoint {
    const leaderEpochs = this.leaderEpochs.entries.filter(([, start]) => start < point.offset)
    const { owner } = this.#home
    return { ...(owner === undefined ? {} : { owner }), logStartOffset: this.#logStartOffset, recoveryPoint: point, compactedOffset: this.compactedOffset, leaderEpochs, state }
  }

  /** Makes records below `offset` unreadable and frees the segments that hold nothing else. The caller saves a checkpoint: the last of them go when that is done. */
  advanceLogStart(offset: Offset): void {
    assert(offset <= this.#endOffset, `a log cannot start at ${offset}, behind its end ${this.#endOffset}`)
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.leaderEpochs.truncateStart(offset)
    this.#free()
  }

  /** Where a crash would find no file to begin at, nor all behind it, it would not know where the log ends, and give offsets twice. */
  #free(): void {
    while (this.#segments.length > 1 && this.#segments[1]!.baseOffset <= this.#logStartOffset && this.#segments[0]!.baseOffset < this.recoveredFrom) this.#forget(this.#segments.shift()!)
  }

  /** Cuts off what could not be made durable from `offset` on, but nothing that was found when the log was opened. */
  takeBack(offset: Offset): void {
    this.truncateTo(Math.max(offset, this.#recovered.endOffset))
  }

  /** Cuts the log so that `offset` is next; a batch that holds it goes as a whole. A checkpoint beyond is removed: the caller saves another. */
  truncateTo(offset: Offset): void {
    if (offset >= this.#endOffset) return
    if (offset < this.#checkpoints.offset) this.#checkpoints.remove()
    this.#cuts++
    this.#places.clear()
    while (this.#segments.length > 1 && this.#active.baseOffset > offset) {
      this.#forget(this.#segments.pop()!)
      this.#active = this.#segments.at(-1)!
      // What is appended takes their offsets: they must not come back.
      this.#namesChanged = true
    }
    const place = this.#active.locate(offset)
    this.#endOffset = place === null ? Math.min(this.#endOffset, offset) : Math.min(offset, place.baseOffset)
    this.#active.truncate(place === null ? this.#active.size : place.position, this.#endOffset)
    this.#unsynced = this.#unsynced.filter(segment => segment !== this.#active)
    this.#durableOffset = Math.min(this.#durableOffset, this.#endOffset)
    this.compactedOffset = Math.min(this.compactedOffset, this.#endOffset)
    this.leaderEpochs.truncateEnd(this.#endOffset)
    this.#isActiveCut = true
    this.#rollNowOrLater()
  }

  /** At once, so that who finds the file after a kill does not append to it either. */
  #rollNowOrLater(): void {
    try {
      this.roll()
    } catch (error) {
      // There may be room again before the next append, which tries that first.
      if (!isDiskFull(error)) throw error
    }
  }

  /** The damage that took an offset, with where reading goes on; null if it is not known to be lost. */
  damageAt(offset: Offset): Damage | null {
    const index = segmentIndexOf(this.#segments, offset)
    const damage = this.#segments[index]?.damageAt(offset) ?? null
    return damage === null ? null : this.#withEnd(damage, index)
  }

  /** The first damage that who reads from an offset on meets, with where reading goes on; null if none is known. */
  damageFrom(offset: Offset): Damage | null {
    for (let index = segmentIndexOf(this.#segments, offset); index < this.#segments.length; index++) {
      const damage = this.#segments[index]!.damages.find(({ nextOffset }) => nextOffset > offset)
      if (damage !== undefined) return this.#withEnd(damage, index)
    }
    return null
  }

  has(segment: Segment): boolean {
    return this.#segments.includes(segment) && !this.#closed
  }

  /** Begins to write one segment that shall take the place of some sealed neighbours. */
  rewrite(old: readonly Segment[]): SegmentRewriting {
    assert(old.length > 0 && !old.includes(this.#active), 'only sealed segments are rewritten')
    const next = this.#segments[this.#segments.indexOf(old.at(-1)!) + 1]!
    return new SegmentRewriting(this.#home, this, old, next.baseOffset)
  }

  /** Puts one segment in the place of some neighbours. */
  replace(old: readonly Segment[], next: Segment): void {
    this.#segments.splice(this.#segments.indexOf(old[0]!), old.length, next)
    this.#places.clear()
  }

  /** Calls `visit` with the header of every batch that ends at `from` or behind; used to rebuild state that follows from them. */
  scan(from: Offset, visit: (header: RecordBatchHeader) => void): void {
    for (const [index, segment] of this.#segments.entries()) {
      const next = this.#segments[index + 1]
      if (next !== undefined && next.baseOffset <= from) continue
      const place = segment.locate(from)
      if (place !== null) segment.scan({ from: place.position, checked: false }, header => void visit(header))
    }
  }

  /** Does not sync. */
  close(): void {
    this.#closed = true
    this.#checkpoints.close()
    for (const segment of this.#segments) segment.close()
  }

  /** Moves its directory away; the bytes are freed after a delay. */
  remove(to: string, delayMs: number): void {
    this.close()
    discard(this.#home, [{ from: this.directory, to }], delayMs)
    for (const segment of this.#segments) segment.removedWith(to)
  }

  #forget(segment: Segment): void {
    this.#places.clear()
    this.#unsynced = this.#unsynced.filter(other => other !== segment)
    this.#recovered.forget(segment)
    segment.remove(this.fileDeleteDelayMs)
  }

  /** Where nothing good follows in a file reading goes on in the next one. */
  #withEnd(damage: Damage, index: number): Damage {
    if (damage.nextOffset !== Number.POSITIVE_INFINITY) return damage
    return { ...damage, nextOffset: this.#segments[index + 1]?.baseOffset ?? this.#endOffset }
  }
}
