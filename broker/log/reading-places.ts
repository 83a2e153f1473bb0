// Remembers where the readers of a log will go on, so that one who reads in order needs no index.

import type { Offset } from '../../core/record.ts'
import type { Segment } from './segment.ts'

/** A batch, by the file that it is in. */
export interface ReadingPlace {
  readonly segment: Segment
  readonly position: number
}

/** Beyond, who has not read for the longest time needs the index. */
const maxPlaces = 64

export class ReadingPlaces {
  readonly #places = new Map<Offset, ReadingPlace>()

  /** The place of an offset where a reader has stopped; null if none did. */
  get(offset: Offset): ReadingPlace | null {
    return this.#places.get(offset) ?? null
  }

  set(offset: Offset, place: ReadingPlace): void {
    this.#places.delete(offset)
    this.#places.set(offset, place)
    if (this.#places.size <= maxPlaces) return
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest)
      return
    }
  }

  /** Segments have gone. */
  clear(): void {
    this.#places.clear()
  }
}
