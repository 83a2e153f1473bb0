// Reads a file row by row, from any position on: each row as the value it holds, and where it ends.

import { createReadStream } from 'node:fs'
import { MillraceError } from '../../core/error.ts'
import type { InputFormat } from '../../runtime/application-definition.ts'
import { csvFields } from './csv-row.ts'
import { LineSplitter, type Line } from './line-splitter.ts'

export interface Row {
  /** A parsed JSON value; an object of strings by the names of the CSV header; or the line's text. */
  readonly value: unknown
  /** As it stands in the file, without its line end. */
  readonly text: string
  /** Counted from 1; CSV rows are counted, the header is 1. */
  readonly line: number
  /** Position behind it, in bytes. */
  readonly end: number
}

export interface RowPosition {
  readonly bytes: number
  /** Rows before that position, the header included. */
  readonly line: number
}

/**
 * Rows in batches, as they come. `-` is standard input. Empty lines of NDJSON and CSV are passed over.
 * @throws MillraceError INPUT with file and line
 */
export async function* readRows(file: string, format: InputFormat, from: RowPosition): AsyncGenerator<readonly Row[]> {
  const header = format === 'csv' && from.line > 0 ? await readHeader(file) : null
  const parser = new RowParser(file, format, from.line, header)
  const splitter = new LineSplitter({ position: from.bytes, quoted: format === 'csv' })
  try {
    for await (const chunk of open(file, from.bytes)) {
      const rows = parser.parse(splitter.push(chunk as Buffer))
      if (rows.length > 0) yield rows
    }
  } catch (cause) {
    throw cause instanceof MillraceError ? cause : unreadable(file, cause)
  }
  const rows = parser.parse(splitter.end())
  if (rows.length > 0) yield rows
}

function open(file: string, start: number): NodeJS.ReadableStream {
  return file === '-' ? process.stdin : createReadStream(file, { start, highWaterMark: 256 * 1024 })
}

async function readHeader(file: string): Promise<readonly string[]> {
  const splitter = new LineSplitter({ position: 0, quoted: true })
  for await (const chunk of open(file, 0)) {
    const line = splitter.push(chunk as Buffer)[0] ?? splitter.end()[0]
    if (line !== undefined) return headerOf(line)
  }
  return []
}

class RowParser {
  readonly #file: string
  readonly #format: InputFormat
  #line: number
  #header: readonly string[] | null

  constructor(file: string, format: InputFormat, line: number, header: readonly string[] | null) {
    this.#file = file
    this.#format = format
    this.#line = line
    this.#header = header
  }

  parse(lines: readonly Line[]): Row[] {
    const rows: Row[] = []
    for (const { bytes, end } of lines) {
      const line = ++this.#line
      if (this.#format === 'csv' && this.#header === null) {
        this.#header = headerOf({ bytes, end })
        continue
      }
      const text = bytes.toString('utf8')
      if (this.#format !== 'lines' && text.trim() === '') continue
      rows.push({ value: this.#valueOf(text, line), text, line, end })
    }
    return rows
  }

  #valueOf(text: string, line: number): unknown {
    if (this.#format === 'lines') return text
    if (this.#format === 'csv') return this.#csvObject(text, line)
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new MillraceError('INPUT', `${this.#file === '-' ? `Line ${line} of standard input` : `${this.#file}:${line}`} is not JSON: ${excerpt(text)}.`, { cause, hint: 'If it is not NDJSON, give --format text (produce), --input-format lines or csv (run).' })
    }
  }

  #csvObject(text: string, line: number): Record<string, string> {
    const header = this.#header ?? []
    const fields = csvFields(text)
    if (fields.length !== header.length) {
      throw new MillraceError('INPUT', `${this.#file}:${line} has ${fields.length} fields, its header has ${header.length}.`, { hint: 'A field that holds a comma stands in double quotes.' })
    }
    const object: Record<string, string> = {}
    for (let i = 0; i < header.length; i++) object[header[i]!] = fields[i]!
    return object
  }
}

/** Without the byte order mark that spreadsheets put in front. */
function headerOf(line: Line): readonly string[] {
  return csvFields(line.bytes.toString('utf8').replace(/^\uFEFF/, '')).map(name => name.trim())
}

function unreadable(file: string, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('INPUT', `${file} cannot be read: ${reason}.`, { cause })
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
