// What feeds a topic: a file, how it is read, and which of its fields are the key and the event time.

import { MillraceError } from '../../core/error.ts'
import type { InputFormat, InputSource } from '../../runtime/application-definition.ts'

const FORMATS: readonly InputFormat[] = ['ndjson', 'csv', 'lines']
const NAMES = ['key', 'timestamp', 'at', 'format']

/**
 * Reads `TOPIC=FILE[,key=FIELD][,timestamp=FIELD][,at=TIME][,format=FORMAT]`; `-` is standard input.
 * @throws MillraceError USAGE
 */
export function parseInputOption(text: string): readonly [topic: string, source: InputSource] {
  const equals = text.indexOf('=')
  const [file = '', ...settings] = text.slice(equals + 1).split(/,(?=[a-z]+=)/)
  if (equals <= 0 || file === '') throw usage(`--input ${text} does not say which file feeds which topic.`, 'Write --input TOPIC=FILE, such as --input sentences=page.txt.')
  const found = Object.fromEntries(settings.map(setting => parseSetting(text, setting)))
  return [text.slice(0, equals), { file, ...(found as Omit<InputSource, 'file'>) }]
}

/** Reads the `TOPIC=FIELD` or `FIELD` of `--key` and `--timestamp`: null stands for every input. */
export function parseFieldOption(text: string): readonly [topic: string | null, field: string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [null, text] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** @throws MillraceError USAGE */
export function parseFormat(text: string): InputFormat {
  const format = FORMATS.find(known => known === text)
  if (format === undefined) throw usage(`There is no input format ${text}.`, `The formats are ${FORMATS.join(', ')}.`)
  return format
}

/** The format of a source that names none: by the ending of its file, plain lines where that says nothing. */
export function formatOf(source: InputSource): InputFormat {
  if (source.format !== undefined) return source.format
  if (/\.(ndjson|jsonl|json)$/i.test(source.file)) return 'ndjson'
  return /\.csv$/i.test(source.file) ? 'csv' : 'lines'
}

function parseSetting(option: string, setting: string): readonly [string, string] {
  const equals = setting.indexOf('=')
  const name = setting.slice(0, equals)
  const value = setting.slice(equals + 1)
  if (!NAMES.includes(name) || value === '') throw usage(`--input ${option}: ${setting} is no setting of an input.`, `The settings are ${NAMES.map(known => `${known}=…`).join(', ')}.`)
  return [name, name === 'format' ? parseFormat(value) : value]
}

function usage(message: string, hint: string): MillraceError {
  return new MillraceError('USAGE', message, { hint })
}
