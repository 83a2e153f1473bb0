// The two outputs of a command: data on standard output, words for a person on standard error, coloured only where somebody looks.

import { once } from 'node:events'
import type { Writable } from 'node:stream'

export interface TerminalStream extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
}

export class Terminal {
  readonly #out: TerminalStream
  readonly #err: TerminalStream
  readonly #coloured: boolean
  readonly #closed = new AbortController()
  #status: string | null = null

  constructor(out: TerminalStream, err: TerminalStream, environment: Readonly<Record<string, string | undefined>>) {
    this.#out = out
    this.#err = err
    this.#coloured = err.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'
    for (const stream of [out, err]) stream.on('error', (error: NodeJS.ErrnoException) => this.#onError(error))
  }

  /** Aborted when nobody reads standard output any more. */
  get outputClosed(): AbortSignal {
    return this.#closed.signal
  }

  /** Whether a person watches standard error, so that a line may be rewritten in place. */
  get watched(): boolean {
    return this.#err.isTTY === true
  }

  /** Writes data; resolves when there is room for more. */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.#closed.signal.aborted || this.#out.write(text)) return
    await once(this.#out, 'drain', { signal: this.#closed.signal }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error
    })
  }

  /** A line for the person. */
  say(line: string): void {
    const status = this.#status
    this.status(null)
    this.#err.write(`${line}\n`)
    this.status(status)
  }

  /** Replaces the line at the bottom, on a terminal; null takes it away. */
  status(line: string | null): void {
    if (!this.watched) return
    if (this.#status !== null) this.#err.write('\r\x1b[2K')
    this.#status = line
    if (line !== null) this.#err.write(line.slice(0, (this.#err.columns ?? 80) - 1))
  }

  bold(text: string): string {
    return this.#paint(text, 1, 22)
  }

  dim(text: string): string {
    return this.#paint(text, 2, 22)
  }

  red(text: string): string {
    return this.#paint(text, 31, 39)
  }

  #paint(text: string, on: number, off: number): string {
    return this.#coloured ? `\x1b[${on}m${text}\x1b[${off}m` : text
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') throw error
    this.#closed.abort()
  }
}
