// Kafka's `ssl.principal.mapping.rules`: what a broker calls the owner of a certificate, made of the name that stands on it.

import { MillraceError } from '../../../core/error.ts'

/** Null: no rule knows the name, and its owner is sent away. */
export type PrincipalMapping = (distinguishedName: string) => string | null

type Rule = (name: string) => string | null

/**
 * Rules with commas between, of which the first that matches the whole name counts: `RULE:PATTERN/REPLACEMENT/`, with $1 for groups and L or U
 * behind it for lower or upper case, or `DEFAULT`, the name as it is.
 * @throws MillraceError BAD_SETTING
 */
export function principalMapping(text: string): PrincipalMapping {
  const rules = rulesOf(text.trim() === '' ? 'DEFAULT' : text)
  return name => {
    for (const rule of rules) {
      const mapped = rule(name)
      if (mapped !== null) return mapped
    }
    return null
  }
}

function rulesOf(text: string): readonly Rule[] {
  const rules: Rule[] = []
  const next = /\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/y
  while (next.lastIndex < text.length) {
    const found = next.exec(text)
    if (found === null) throw malformed(text)
    rules.push(found[1] === undefined ? ruleOf(text, found[2]!, found[3]!, found[4]!) : name => name)
  }
  return rules
}

function ruleOf(text: string, pattern: string, replacement: string, letters: string): Rule {
  let whole: RegExp
  try {
    whole = new RegExp(`^(?:${pattern})$`)
  } catch {
    throw malformed(text)
  }
  return name => {
    const groups = whole.exec(name)
    if (groups === null) return null
    const mapped = replacement.replace(/\$(\d)|\\(.)/g, (_, group: string | undefined, escaped: string | undefined) => (group === undefined ? escaped! : groups[Number(group)] ?? ''))
    return letters === 'L' ? mapped.toLowerCase() : letters === 'U' ? mapped.toUpperCase() : mapped
  }
}

function malformed(text: string): MillraceError {
  return new MillraceError('BAD_SETTING', `ssl.principal.mapping.rules is ${text}, which cannot be read.`, { hint: 'For example RULE:^CN=([^,]+).*$/$1/L,DEFAULT.' })
}
