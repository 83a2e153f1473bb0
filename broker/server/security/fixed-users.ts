// The users that the settings of a broker name: in a file, in a JAAS line, or in code.

import { readFileSync, statSync } from 'node:fs'
import { MillraceError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Settings } from '../../kernel/listener-config.ts'
import { parseJaasConfig } from '../../wire/jaas-config.ts'

/** Names and passwords. @throws MillraceError BAD_SETTING */
export function fixedUsers(config: Settings, inCode: Readonly<Record<string, string>>, logger: Logger): ReadonlyMap<string, string> {
  const jaas = config.text('plain.sasl.jaas.config')
  const file = config.text('millrace.users.file')
  return new Map([...(file === '' ? [] : usersOfFile(file, logger)), ...(jaas === '' ? [] : usersOfJaas(jaas)), ...Object.entries(inCode)])
}

/** Options `user_NAME="PASSWORD"`; what else stands there is for brokers as clients of each other. */
function usersOfJaas(text: string): readonly (readonly [string, string])[] {
  const { options } = parseJaasConfig(text, 'plain.sasl.jaas.config')
  return [...options].flatMap(([name, value]) => (name.startsWith('user_') ? [[name.slice('user_'.length), value] as const] : []))
}

/** One `NAME:PASSWORD` a line, the password whatever follows the first colon; lines that begin with # are comments. */
function usersOfFile(path: string, logger: Logger): readonly (readonly [string, string])[] {
  return textOf(path, logger).split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return []
    const colon = line.indexOf(':')
    if (colon <= 0 || colon === line.length - 1) throw new MillraceError('BAD_SETTING', `${path}:${index + 1} is not NAME:PASSWORD.`)
    return [[line.slice(0, colon), line.slice(colon + 1)] as const]
  })
}

function textOf(path: string, logger: Logger): string {
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) logger.warn(`others on this machine may read the passwords in ${path}`, { hint: `chmod 600 ${path}` })
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new MillraceError('BAD_SETTING', `millrace.users.file is ${path}, which cannot be read.`, { cause })
  }
}
