// Reads Java properties, in which Kafka's configuration files are written: comments, continued lines, escapes.

import { readFile } from 'node:fs/promises'
import { MillraceError } from '../../core/error.ts'

/** The file is UTF-8. @throws MillraceError BAD_PROPERTIES, FILE_UNREADABLE */
export async function readJavaProperties(file: string): Promise<ReadonlyMap<string, string>> {
  return javaProperties(await readFile(file, 'utf8').catch(unreadable(file)), file)
}

function unreadable(file: string): (cause: NodeJS.ErrnoException) => never {
  return cause => {
    throw new MillraceError('FILE_UNREADABLE', `The file ${file} cannot be read (${cause.code}).`, { cause, hint: 'It holds lines of NAME=VALUE, such as those of a server.properties.' })
  }
}

/** Names and values as java.util.Properties reads them; of several lines with one name the last counts. @throws MillraceError BAD_PROPERTIES */
export function javaProperties(text: string, file = 'the properties'): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const { line, number } of logicalLines(text)) {
    const end = nameEnd(line)
    const [, value] = /^[ \t\f]*[=:]?[ \t\f]*([^]*)$/.exec(line.slice(end))!
    const place = `${file}:${number}`
    properties.set(unescaped(line.slice(0, end), place), unescaped(value!, place))
  }
  return properties
}

/** A line that ends in an odd number of backslashes goes on in the next one; comments and blank lines are no lines. */
function* logicalLines(text: string): Iterable<{ readonly line: string; readonly number: number }> {
  let begun: { line: string; number: number } | null = null
  for (const [index, natural] of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/).entries()) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (begun === null && /^(?:[#!]|$)/.test(line)) continue
    begun ??= { line: '', number: index + 1 }
    const goesOn = /\\*$/.exec(line)![0].length % 2 === 1
    begun.line += goesOn ? line.slice(0, -1) : line
    if (goesOn) continue
    yield begun
    begun = null
  }
  if (begun !== null && begun.line !== '') yield begun
}

/** A name ends before the first `=`, `:` or blank that no backslash precedes. */
function nameEnd(line: string): number {
  let at = 0
  while (at < line.length && !/[=: \t\f]/.test(line[at]!)) at += line[at] === '\\' ? 2 : 1
  return Math.min(at, line.length)
}

const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/** `\uXXXX` is a UTF-16 unit; a backslash before anything else that means nothing is dropped. */
function unescaped(text: string, place: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    if (escape === 'u') throw new MillraceError('BAD_PROPERTIES', `${place}: \\u stands before something that is not four hexadecimal digits.`, { hint: 'A backslash itself is written as two.' })
    return controls[escape] ?? escape
  })
}
