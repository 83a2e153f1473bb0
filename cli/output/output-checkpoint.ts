// Remembers how far an output topic was printed or written, so that the next run goes on there.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectories } from '../../broker/disk/make-directories.ts'
import type { Offset } from '../../core/record.ts'

export interface OutputCheckpoint {
  /** By partition: the next offset to write. */
  readonly offsets: readonly Offset[]
  /** Size of the file with all that stands below the offsets; 0 on standard output. */
  readonly bytes: number
}

/** Null before the first. */
export async function readOutputCheckpoint(path: string): Promise<OutputCheckpoint | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as OutputCheckpoint
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ENOENT') return null
    throw cause
  }
}

/** Atomic. */
export async function writeOutputCheckpoint(path: string, checkpoint: OutputCheckpoint): Promise<void> {
  makeDirectories(dirname(path))
  await writeFile(`${path}.new`, `${JSON.stringify(checkpoint)}\n`)
  await rename(`${path}.new`, path)
}
