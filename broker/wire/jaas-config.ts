// Reads a JAAS line, in which Kafka's settings say who logs in: `MODULE required NAME="VALUE" …;`.

import { MillraceError } from '../../core/error.ts'

export interface JaasConfig {
  /** Class of the login module, as `org.apache.kafka.common.security.plain.PlainLoginModule`. */
  readonly module: string
  readonly options: ReadonlyMap<string, string>
}

const controlFlags = ['required', 'requisite', 'sufficient', 'optional']

/** Values stand in quotes, with \" and \\ in them, or bare. The text is never part of the error: it holds a password. @throws MillraceError BAD_SETTING */
export function parseJaasConfig(text: string, name: string): JaasConfig {
  const parts = /^\s*([\w.$]+)\s+(\w+)([^]*?);?\s*$/.exec(text)
  if (parts === null || !controlFlags.includes(parts[2]!.toLowerCase())) throw malformed(name)
  const options = new Map<string, string>()
  const option = /\s*([\w.-]+)\s*=\s*(?:"((?:\\[^]|[^"\\])*)"|([^\s";]+))/y
  let rest = parts[3]!
  while (rest.trim() !== '') {
    option.lastIndex = 0
    const found = option.exec(rest)
    if (found === null) throw malformed(name)
    options.set(found[1]!, found[3] ?? found[2]!.replace(/\\([^])/g, '$1'))
    rest = rest.slice(option.lastIndex)
  }
  return { module: parts[1]!, options }
}

function malformed(name: string): MillraceError {
  return new MillraceError('BAD_SETTING', `${name} cannot be read.`, { hint: 'It is one line: MODULE required NAME="VALUE" NAME="VALUE";' })
}
