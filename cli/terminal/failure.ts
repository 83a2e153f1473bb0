// Tells a person on standard error what failed: the fact, the line of their own script if there is one, and what to do about it.

import { readFileSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BUILT_FOLDER } from '../place/package-place.ts'
import type { Terminal } from './terminal.ts'

/** Exit statuses. */
export const FAILURE = 1
export const USAGE = 2

/** What a person typed or wrote into a file, and what must be mended there. */
const usageCodes: ReadonlySet<unknown> = new Set(['USAGE', 'BAD_ADDRESS', 'BAD_SETTING', 'UNKNOWN_SETTING', 'BAD_PROPERTIES'])

/** What esbuild says about code it cannot read. */
interface BuildMessage {
  readonly text: string
  readonly location: { readonly file: string; readonly line: number; readonly column: number; readonly length: number; readonly lineText: string } | null
}

/** Writes the failure and gives the exit status. With `verbose`, stacks and causes are shown whole. */
export function reportFailure(error: unknown, terminal: Terminal, verbose: boolean): number {
  for (const line of failureLines(error, terminal)) terminal.say(line)
  if (verbose) for (let cause = error; cause instanceof Error; cause = cause.cause) terminal.say(terminal.dim(cause.stack ?? String(cause)))
  return error instanceof Error && usageCodes.has((error as { code?: unknown }).code) ? USAGE : FAILURE
}

function failureLines(error: unknown, terminal: Terminal): string[] {
  const label = terminal.red('millrace:')
  const messages = (error as { errors?: readonly BuildMessage[] } | null)?.errors
  if (Array.isArray(messages) && messages.length > 0) return messages.flatMap(message => buildLines(message as BuildMessage, terminal))
  if (!(error instanceof Error)) return [`${label} ${String(error)}`]
  if (error.name === 'MillraceError') return millraceLines(error, label, terminal)
  const frame = scriptFrame(error)
  if (frame !== null) return [`${label} ${frame.place}: ${error.name}: ${error.message}`, ...excerpt(frame, terminal)]
  if (isOfTheSystem(error)) return [`${label} ${error.message}`]
  return [`${label} this should not have happened; please report it.`, error.stack ?? error.message]
}

function millraceLines(error: Error, label: string, terminal: Terminal): string[] {
  const hint = (error as { hint?: string }).hint
  const fact = hint !== undefined && error.message.endsWith(hint) ? error.message.slice(0, -hint.length).trimEnd() : error.message
  const cause = error.cause instanceof Error ? error.cause : null
  const frame = cause === null ? null : scriptFrame(cause)
  const lines = [`${label} ${fact}`]
  if (cause !== null && frame !== null) lines.push(`  ${frame.place}: ${cause.name}: ${cause.message}`, ...excerpt(frame, terminal))
  if (hint !== undefined) lines.push(`  ${terminal.bold('→')} ${hint}`)
  return lines
}

function buildLines({ text, location }: BuildMessage, terminal: Terminal): string[] {
  const label = terminal.red('millrace:')
  if (location === null) return [`${label} ${text}`]
  const caret = `${' '.repeat(location.column)}${terminal.red('^'.repeat(Math.max(1, location.length)))}`
  return [`${label} ${location.file}:${location.line}:${location.column + 1}: ${text}`, `  ${location.lineText}`, `  ${caret}`]
}

interface Frame {
  readonly file: string
  readonly line: number
  readonly column: number
  /** `file:line:column`, relative to the working directory. */
  readonly place: string
}

/** The topmost frame that lies neither in this package nor in another one: the person's own line. */
function scriptFrame(error: Error): Frame | null {
  for (const line of (error.stack ?? '').split('\n')) {
    const match = /\(?((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*):(\d+):(\d+)\)?$/.exec(line)
    if (match === null || line.includes('(node:')) continue
    const file = match[1]!.startsWith('file://') ? fileURLToPath(match[1]!) : match[1]!
    if (file.startsWith(BUILT_FOLDER) || file.includes(`${sep}node_modules${sep}`)) continue
    const below = relative(process.cwd(), file)
    const shown = below.startsWith('..') ? file : below
    return { file, line: Number(match[2]), column: Number(match[3]), place: `${shown}:${match[2]}:${match[3]}` }
  }
  return null
}

function excerpt({ file, line, column }: Frame, terminal: Terminal): string[] {
  try {
    const text = readFileSync(file, 'utf8').split('\n')[line - 1]
    return text === undefined ? [] : [`  ${text}`, `  ${' '.repeat(Math.max(0, column - 1))}${terminal.red('^')}`]
  } catch {
    return [] // The file is gone; the place has been named.
  }
}

/** Files that are not there, ports in use and the like: facts that need no stack. */
function isOfTheSystem(error: Error): boolean {
  return typeof (error as { syscall?: unknown }).syscall === 'string'
}
