// Cuts a stream of bytes into lines (or CSV rows, whose quoted fields may hold line ends) and knows where each one ends.

const NEWLINE = 10
const RETURN = 13
const QUOTE = 34
/** A longer line is not text that somebody wrote. */
const MAX_LINE_BYTES: number = 64 * 1024 * 1024

export interface Line {
  readonly bytes: Buffer
  /** Position behind its line end, in bytes from the beginning of the file. */
  readonly end: number
}

export class LineSplitter {
  readonly #quoted: boolean
  #rest: Buffer = Buffer.alloc(0)
  /** Position of the rest's first byte. */
  #position: number
  #scanned = 0
  #inQuotes = false

  constructor(options: { readonly position: number; readonly quoted: boolean }) {
    this.#position = options.position
    this.#quoted = options.quoted
  }

  /** The lines that this chunk completes. @throws RangeError for a line beyond the limit */
  push(chunk: Buffer): Line[] {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const lines: Line[] = []
    let start = 0
    for (let end = this.#lineEnd(buffer); end >= 0; end = this.#lineEnd(buffer)) {
      lines.push(this.#line(buffer, start, end))
      start = end + 1
    }
    this.#rest = buffer.subarray(start)
    this.#position += start
    this.#scanned -= start
    if (this.#rest.length > MAX_LINE_BYTES) throw new RangeError(`A line is longer than ${MAX_LINE_BYTES} bytes.`)
    return lines
  }

  /** What stands behind the last line end, if anything. */
  end(): Line[] {
    if (this.#rest.length === 0) return []
    return [{ bytes: this.#rest, end: this.#position + this.#rest.length }]
  }

  /** Position of the next line end that counts, -1 if it has not come yet. */
  #lineEnd(buffer: Buffer): number {
    if (!this.#quoted) {
      const end = buffer.indexOf(NEWLINE, this.#scanned)
      this.#scanned = end < 0 ? buffer.length : end + 1
      return end
    }
    for (let i = this.#scanned; i < buffer.length; i++) {
      if (buffer[i] === QUOTE) this.#inQuotes = !this.#inQuotes
      else if (buffer[i] === NEWLINE && !this.#inQuotes) {
        this.#scanned = i + 1
        return i
      }
    }
    this.#scanned = buffer.length
    return -1
  }

  #line(buffer: Buffer, start: number, end: number): Line {
    const last = end > start && buffer[end - 1] === RETURN ? end - 1 : end
    return { bytes: buffer.subarray(start, last), end: this.#position + end + 1 }
  }
}
