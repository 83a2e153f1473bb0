// Where the records of an output go: standard output, or a file that is cut back to what is known to be whole.

import { open, type FileHandle } from 'node:fs/promises'
import type { Terminal } from '../terminal/terminal.ts'

export interface OutputTarget {
  write(text: string): Promise<void>
  /** Size so far; 0 where that means nothing. */
  readonly bytes: number
  /** Nobody reads it any more: what was written last may be lost. */
  readonly closed: boolean
  close(): Promise<void>
}

export function terminalTarget(terminal: Terminal): OutputTarget {
  return {
    write: text => terminal.write(text),
    bytes: 0,
    get closed() {
      return terminal.outputClosed.aborted
    },
    close: () => Promise.resolve(),
  }
}

export class FileTarget implements OutputTarget {
  readonly closed = false
  readonly #file: FileHandle
  #bytes: number

  private constructor(file: FileHandle, bytes: number) {
    this.#file = file
    this.#bytes = bytes
  }

  /** Keeps the first `keepBytes`, and everything if that is null. */
  static async open(path: string, keepBytes: number | null): Promise<FileTarget> {
    const file = await open(path, 'a')
    const { size } = await file.stat()
    if (keepBytes !== null && size > keepBytes) await file.truncate(keepBytes)
    return new FileTarget(file, keepBytes === null ? size : Math.min(size, keepBytes))
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text, 'utf8')
    await this.#file.appendFile(bytes)
    this.#bytes += bytes.length
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
