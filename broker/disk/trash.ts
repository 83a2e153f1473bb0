// Files that were removed: renamed at once, which is cheap; their bytes are freed later and off the main thread, which takes long for a large one.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { isDiskFull, type Disk } from './disk.ts'

export interface Move {
  readonly from: string
  readonly to: string
}

export interface TrashParts {
  readonly disk: Disk
  readonly clock: Clock
  /** Hears of what could not be freed; it is left to the next start. */
  readonly onFailure: (path: string, error: MillraceError) => void
}

/** Removals that wait for their time; beyond, the oldest goes early. */
const maxWaiting = 10_000
/** Paths that wait for their turn; beyond, they are freed on the spot, which holds up who removes more. */
const maxDuePaths = 100_000
/** After the disk was full nothing waits for so long: room is wanted more than time to look at what was removed. */
const hurryMs = 3_600_000
/** How long a closing may take for what is left; the next start frees the rest. */
const maxCloseMs = 1000
const longestTimerMs = 2 ** 31 - 1

interface Removal {
  readonly paths: readonly string[]
  cancel(): void
}

export class Trash {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #onFailure: (path: string, error: MillraceError) => void
  /** The oldest first; so is `#due`. */
  readonly #waiting = new Set<Removal>()
  readonly #due = new Set<string>()
  #erasing: Promise<void> | null = null
  #fullAtMs = Number.NEGATIVE_INFINITY
  #stopsAtMs = Number.POSITIVE_INFINITY

  constructor({ disk, clock, onFailure }: TrashParts) {
    this.#disk = disk
    this.#clock = clock
    this.#onFailure = onFailure
  }

  /** Paths whose bytes are there yet. */
  get paths(): readonly string[] {
    return [...[...this.#waiting].flatMap(({ paths }) => paths), ...this.#due]
  }

  /** Renames files or directories, those that are there, and frees them after a delay. */
  discard(moves: readonly Move[], delayMs: number): void {
    const paths = moves.filter(move => rename(this.#disk, move)).map(({ to }) => to)
    if (paths.length > 0) this.free(paths, this.#isHurried ? 0 : delayMs)
  }

  /** Frees what lies under a name that nobody uses. */
  free(paths: readonly string[], delayMs: number): void {
    if (this.#isClosed) return
    if (delayMs <= 0) return this.#fallDue(paths)
    const removal = { paths, cancel: this.#clock.after(Math.min(delayMs, longestTimerMs), () => this.#end(removal)) }
    this.#waiting.add(removal)
    if (this.#waiting.size > maxWaiting) this.#endFirst()
  }

  /** The disk is full: nothing waits any more. */
  hurry(): void {
    this.#fullAtMs = this.#clock.monotonic()
    while (this.#waiting.size > 0) this.#endFirst()
  }

  /** Frees what it can in a short time. */
  async close(): Promise<void> {
    while (this.#waiting.size > 0) this.#endFirst()
    this.#stopsAtMs = this.#clock.monotonic() + maxCloseMs
    await this.#erasing
  }

  get #isClosed(): boolean {
    return this.#stopsAtMs !== Number.POSITIVE_INFINITY
  }

  get #isHurried(): boolean {
    return this.#clock.monotonic() - this.#fullAtMs < hurryMs
  }

  #endFirst(): void {
    for (const removal of this.#waiting) return this.#end(removal)
  }

  #end(removal: Removal): void {
    removal.cancel()
    this.#waiting.delete(removal)
    this.#fallDue(removal.paths)
  }

  #fallDue(paths: readonly string[]): void {
    for (const path of paths) {
      if (this.#due.size < maxDuePaths) this.#due.add(path)
      else void this.#attempt(path, () => this.#disk.remove(path))
    }
    this.#erasing ??= this.#erase()
  }

  /** One at a time, so that who waits for an fsync finds a thread. */
  async #erase(): Promise<void> {
    // Not before who removes them is done with them.
    await this.#clock.turn()
    for (const path of this.#due) {
      if (this.#clock.monotonic() > this.#stopsAtMs) break
      await this.#attempt(path, () => this.#disk.erase(path))
      this.#due.delete(path)
    }
    this.#erasing = null
  }

  async #attempt(path: string, removal: () => void | Promise<void>): Promise<void> {
    try {
      await removal()
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      this.#onFailure(path, error)
    }
  }
}

/** False if there is nothing left to free. A full disk may have no room for another name: then it goes on the spot. */
function rename(disk: Disk, { from, to }: Move): boolean {
  try {
    return disk.renameIfThere(from, to)
  } catch (error) {
    if (!isDiskFull(error)) throw error
    disk.remove(from)
    return false
  }
}
