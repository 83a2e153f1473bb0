// Where each leader epoch of a partition begins, by which clients and followers find out that a log was cut.

import type { Offset } from '../../core/record.ts'

/** An epoch and the first offset written in it. */
export type LeaderEpochEntry = readonly [epoch: number, startOffset: Offset]

export class LeaderEpochs {
  #entries: LeaderEpochEntry[]

  constructor(entries: readonly LeaderEpochEntry[] = []) {
    this.#entries = [...entries]
  }

  get entries(): readonly LeaderEpochEntry[] {
    return this.#entries
  }

  /** The epoch of the last record; -1 before the first. */
  get latest(): number {
    return this.#entries.at(-1)?.[0] ?? -1
  }

  /** Notes that `epoch` writes at `offset`; nothing changes if it has written before. */
  assign(epoch: number, offset: Offset): void {
    if (epoch > this.latest) this.#entries.push([epoch, offset])
  }

  /** The largest epoch up to the one asked for, and where it ends: where the next begins, or the log. (-1, -1) if that is unknown, the one asked for and where the log begins if it is older than all. */
  endOf(epoch: number, current: number, endOffset: Offset): { readonly epoch: number; readonly endOffset: Offset } {
    if (epoch === current) return { epoch, endOffset }
    const next = this.#entries.findIndex(([other]) => other > epoch)
    if (epoch === -1 || epoch > current) return { epoch: -1, endOffset: -1 }
    // Before all that is known: nothing of it is left.
    if (next <= 0 && (next === 0 || this.#entries.length === 0)) return { epoch, endOffset: this.#entries[0]?.[1] ?? endOffset }
    if (next < 0) return { epoch: this.latest, endOffset: this.latest < 0 ? -1 : endOffset }
    return { epoch: this.#entries[next - 1]![0], endOffset: this.#entries[next]![1] }
  }

  /** The epoch of the record at an offset; -1 if unknown. */
  epochAt(offset: Offset): number {
    return this.#entries.findLast(([, start]) => start <= offset)?.[0] ?? -1
  }

  /** Forgets epochs that began at or behind the end. */
  truncateEnd(endOffset: Offset): void {
    this.#entries = this.#entries.filter(([, start]) => start < endOffset)
  }

  /** Forgets what ended before the start; the epoch that covers it begins there now. */
  truncateStart(startOffset: Offset): void {
    const covering = this.#entries.findLastIndex(([, start]) => start <= startOffset)
    if (covering <= 0 && (covering < 0 || this.#entries[0]![1] === startOffset)) return
    this.#entries = this.#entries.slice(covering)
    this.#entries[0] = [this.#entries[0]![0], startOffset]
  }
}
