// Writes a log's checkpoints one after the other, and only those that say something new.

import type { Offset } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import { removeCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts'

/** `missing`: there never was one, so nothing was acknowledged yet. `broken`: there was. */
export type KnownCheckpoint = Checkpoint | 'missing' | 'broken'

export class CheckpointKeeper {
  readonly #disk: Disk
  readonly #directory: string
  /** The one on the disk. */
  #known: KnownCheckpoint
  #saving: Promise<void> = Promise.resolve()
  #closed = false

  constructor(disk: Disk, directory: string, known: KnownCheckpoint) {
    this.#disk = disk
    this.#directory = directory
    this.#known = known
  }

  /** True until the first is written. It comes before anything is acknowledged: behind a checkpoint a gap is what a crash has taken. */
  get isMissing(): boolean {
    return this.#known === 'missing'
  }

  /** The recovery point of the one on the disk; -1 if there is none. */
  get offset(): Offset {
    return typeof this.#known === 'string' ? -1 : this.#known.recoveryPoint.offset
  }

  /** The segment that its recovery point lies in; Infinity if there is none. */
  get segment(): Offset {
    return typeof this.#known === 'string' ? Number.POSITIVE_INFINITY : this.#known.recoveryPoint.segment
  }

  /** `prepare` makes durable what the checkpoint relies on. One that is older than what is written, or says the same, is not written. */
  async save(next: Checkpoint, prepare: () => Promise<void>): Promise<void> {
    const saving = this.#saving.then(() => this.#save(next, prepare))
    this.#saving = saving.catch(() => {
      // Told to the one who asked for it.
    })
    await saving
  }

  async #save(next: Checkpoint, prepare: () => Promise<void>): Promise<void> {
    if (this.#closed || next.recoveryPoint.offset < this.offset || this.#says(next)) return
    await prepare()
    // The log's own directory may be as new, and comes first: who finds a checkpoint need not sync it.
    if (this.isMissing) await this.#disk.syncDirectory('')
    if (this.#closed) return
    await writeCheckpoint(this.#disk, this.#directory, next)
    if (this.#closed) return
    const startedBefore = typeof this.#known === 'string' ? 0 : this.#known.logStartOffset
    if (next.logStartOffset > startedBefore) await this.#disk.syncDirectory(this.#directory)
    this.#known = next
  }

  #says(next: Checkpoint): boolean {
    const known = this.#known
    if (typeof known === 'string') return false
    const isSamePlace = known.recoveryPoint.offset === next.recoveryPoint.offset && known.recoveryPoint.segment === next.recoveryPoint.segment
    return isSamePlace && known.logStartOffset === next.logStartOffset && known.compactedOffset === next.compactedOffset
  }

  /** When the log is cut below it. */
  remove(): void {
    removeCheckpoint(this.#disk, this.#directory)
    this.#known = 'broken'
  }

  /** Nothing is written any more. */
  close(): void {
    this.#closed = true
  }
}
