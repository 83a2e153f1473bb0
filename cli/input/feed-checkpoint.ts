// Remembers how far a file was fed into a topic, so that the next run goes on there: one small file for each pair.

import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeDirectories } from '../../broker/disk/make-directories.ts'
import type { Offset } from '../../core/record.ts'

/** Everything before `bytes` is in the topic, below `offsets`; what stands above them may hold more of it. */
export interface FeedCheckpoint {
  readonly file: string
  readonly bytes: number
  readonly line: number
  /** By partition: where the topic ended when this was written. */
  readonly offsets: readonly Offset[]
}

export class FeedCheckpointFile {
  readonly #path: string

  /** `directory` is the application's own, within the state directory. */
  constructor(directory: string, topic: string, file: string) {
    const absolute = resolve(file)
    this.#path = join(directory, `${topic}-${createHash('sha256').update(absolute).digest('hex').slice(0, 12)}.json`)
  }

  /** Null before the first. */
  async read(): Promise<FeedCheckpoint | null> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as FeedCheckpoint
    } catch (cause) {
      if ((cause as { code?: string }).code === 'ENOENT') return null
      throw cause
    }
  }

  /** Atomic. Not synced: an older checkpoint after a power cut costs a comparison, never a record. */
  async write(checkpoint: FeedCheckpoint): Promise<void> {
    const fresh = `${this.#path}.new`
    makeDirectories(dirname(this.#path))
    await writeFile(fresh, `${JSON.stringify(checkpoint)}\n`)
    await rename(fresh, this.#path)
  }
}
