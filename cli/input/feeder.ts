// Feeds files into topics, oldest record first across files, within the producer's bounds, and saves how far it has come.

import type { LogProducer } from '../../core/log-port.ts'
import type { FileFeed } from './file-feed.ts'

/** Records fed between two looks at the producer's bounds: the event loop gets its turn there. */
const TURN_RECORDS = 500
/** Bytes read between two checkpoints: the most that a later run compares again. */
const CHECKPOINT_BYTES = 8 * 1024 * 1024

export class Feeder {
  readonly #feeds: readonly FileFeed[]
  readonly #producer: LogProducer
  readonly #turn: () => Promise<void>
  #savedBytes = 0

  /** `turn` lets the rest of the process work. */
  constructor(feeds: readonly FileFeed[], producer: LogProducer, turn: () => Promise<void>) {
    this.#feeds = feeds
    this.#producer = producer
    this.#turn = turn
  }

  get fed(): number {
    return this.#feeds.reduce((sum, feed) => sum + feed.fed, 0)
  }

  get bytes(): number {
    return this.#feeds.reduce((sum, feed) => sum + feed.bytes, 0)
  }

  /** 0 if a size is unknown. */
  get sizeBytes(): number {
    return this.#feeds.some(feed => feed.sizeBytes === 0) ? 0 : this.#feeds.reduce((sum, feed) => sum + feed.sizeBytes, 0)
  }

  /** Resolves when every file is in the log, or soon after the signal. @throws MillraceError INPUT, and what the producer throws */
  async run(stop: AbortSignal): Promise<void> {
    const close = (): void => void this.#close()
    stop.addEventListener('abort', close)
    const open = new Set(this.#feeds)
    while (open.size > 0 && !stop.aborted) {
      const ended = await refillAll(open)
      if (ended || this.bytes - this.#savedBytes > CHECKPOINT_BYTES) await this.#save()
      this.#feedTurn([...open])
      await this.#producer.ready()
      await this.#turn()
    }
    await this.#save()
    stop.removeEventListener('abort', close)
    await this.#close()
  }

  #feedTurn(open: readonly FileFeed[]): void {
    for (let i = 0; i < TURN_RECORDS; i++) {
      const feed = oldest(open)
      if (feed === null) return
      feed.feed()
    }
  }

  /** Where a file has ended, what comes after must find all of it: hence the flush. */
  async #save(): Promise<void> {
    if (this.bytes === this.#savedBytes) return
    await this.#producer.flush()
    for (const feed of this.#feeds) await feed.save()
    this.#savedBytes = this.bytes
  }

  async #close(): Promise<void> {
    for (const feed of this.#feeds) await feed.close()
  }
}

/** Whether a file has come to its end; it is taken out. */
async function refillAll(open: Set<FileFeed>): Promise<boolean> {
  const before = open.size
  for (const feed of open) if (feed.headTimestamp === null && !(await feed.refill())) open.delete(feed)
  return open.size < before
}

/** Null as soon as one has to read on, for its next record may be the oldest. */
function oldest(feeds: readonly FileFeed[]): FileFeed | null {
  let found: FileFeed | null = null
  for (const feed of feeds) {
    if (feed.headTimestamp === null) return null
    if (found === null || feed.headTimestamp < found.headTimestamp!) found = feed
  }
  return found
}
