// Writes rows to standard output: a table for people, one JSON object a line for programs.

import type { Terminal } from './terminal.ts'
import { textTable, type Column } from './text-table.ts'

export interface ListingOptions {
  readonly json?: boolean
}

/** The object of each row is its JSON; `cells` are its texts under the columns. Without rows a table is nothing. */
export async function writeListing<T>(rows: readonly T[], columns: readonly Column[], cells: (row: T) => readonly string[], { json }: ListingOptions, terminal: Terminal): Promise<void> {
  if (json === true) return terminal.write(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
  if (rows.length > 0) await terminal.write(textTable(columns, rows.map(cells)).map(line => `${line}\n`).join(''))
}

/** What is not there is a dash. */
export function cell(value: string | number | null | undefined): string {
  return value === null || value === undefined || value === '' ? '-' : String(value)
}
