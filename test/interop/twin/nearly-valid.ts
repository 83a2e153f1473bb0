// Requests as a version can carry them, and requests with one thing wrong: a null, an odd number or name, an element twice or none.

import type { Random } from '../../../core/random.ts'
import type { Field, FieldOptions, Fields, Primitive } from '../../../broker/wire/description.ts'
import { defaultOf, isArray, optionsOf } from '../../../broker/wire/defaults.ts'
import { chance, pick } from '../../broker/server/hostile-message.ts'
import type { Body } from './plain-answer.ts'

/** Without what the version has no place for. */
export function fitted(fields: Fields, version: number, body: Body): Body {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => isThere(field, version)).map(([name, field]) => [name, fittedValue(field, version, body[name])]))
}

function isThere(field: Field, version: number): boolean {
  const { since = 0, until = version } = optionsOf(field)
  return version >= since && version <= until
}

function fittedValue(field: Field, version: number, value: unknown): unknown {
  const { type, nullable } = optionsOf(field)
  if (value === undefined) return defaultOf(field)
  if (value === null) return nullable !== undefined && version >= nullable ? null : typeof type !== 'string' && isArray(type) ? [] : type === 'string' ? '' : defaultOf(field)
  if (typeof type === 'string') return value
  if (!isArray<Primitive | Fields>(type)) return fitted(type, version, value as Body)
  const element = type[0]
  return typeof element === 'string' ? value : (value as readonly Body[]).map(part => fitted(element, version, part))
}

interface Site {
  readonly options: FieldOptions
  readonly name: string
  readonly value: unknown
  readonly set: (value: unknown) => void
}

export interface Oddness {
  /** Names that mean something. */
  readonly texts: readonly string[]
  /** Whether a list may have an element twice. */
  readonly mayRepeat: boolean
}

/** One change; the body must be fitted. */
export function nearlyValid(random: Random, fields: Fields, version: number, body: Body, oddness: Oddness): Body {
  const changed = structuredClone(body) as Record<string, unknown>
  const sites = [...sitesOf(fields, version, changed)]
  if (sites.length === 0) return body
  const site = pick(random, sites)
  site.set(oddValue(random, site, version, oddness))
  return changed
}

function* sitesOf(fields: Fields, version: number, body: Record<string, unknown>): Iterable<Site> {
  for (const [name, field] of Object.entries(fields)) {
    if (!isThere(field, version) || unchanged.has(name)) continue
    const options = optionsOf(field)
    const value = body[name]
    yield { options, name, value, set: given => (body[name] = given) }
    if (typeof options.type === 'string' || value === null) continue
    if (!isArray<Primitive | Fields>(options.type)) {
      if (!Object.isFrozen(value)) yield* sitesOf(options.type, version, value as Record<string, unknown>)
      continue
    }
    const element = options.type[0]
    if (typeof element !== 'string') for (const part of value as Record<string, unknown>[]) yield* sitesOf(element, version, part)
  }
}

/** What makes a story wait or depend on how fast it is told, and what Apache Kafka stumbles over. */
const unchanged: ReadonlySet<string> = new Set(['maxWaitMs', 'timeoutMs', 'sessionTimeoutMs', 'rebalanceTimeoutMs', 'transactionTimeoutMs', 'retentionTimeMs', 'acks', 'sessionId', 'sessionEpoch', 'configurationKeys', 'records', 'isolationLevel', 'count', 'subscribedTopicRegex', 'coordinatorEpoch', 'cursor', 'maxBytes', 'partitionMaxBytes'])

function oddValue(random: Random, { options, name, value }: Site, version: number, { texts, mayRepeat }: Oddness): unknown {
  if (options.nullable !== undefined && version >= options.nullable && chance(random, 3)) return null
  if (typeof options.type === 'string') return ownText(name, oddScalar(random, options.type, value, textsFor(name, texts)))
  if (!isArray(options.type) || value === null) return value
  const list = value as readonly unknown[]
  // Brokers need not agree on how often they say what was asked for twice.
  if (!chance(random, 4)) return list
  if (!mayRepeat || list.length === 0 || chance(random, 3)) return []
  return chance(random, 2) ? [...list, pick(random, list)] : [...list, structuredClone(pick(random, list))].reverse()
}

/** What brokers call otherwise is no name for something else, whose place may depend on it. */
function textsFor(name: string, texts: readonly string[]): readonly string[] {
  return /topicId/.test(name) || /memberId/i.test(name) ? texts : texts.filter(text => !text.startsWith('«'))
}

/** What a story makes must not be there in the next one. */
function ownText(name: string, value: unknown): unknown {
  const makes = /groupId|transactionalId/i.test(name) ? /^[^~«]/ : /^(name|topic)$/.test(name) ? /^[a-z]+$/ : null
  return typeof value === 'string' && makes?.test(value) === true ? `~${value}` : value
}

function oddScalar(random: Random, type: Primitive, value: unknown, texts: readonly string[]): unknown {
  switch (type) {
    case 'boolean':
      return value !== true
    case 'int8':
      return pick(random, [0, 1, 2, 3, 4, -1, -2, 8, 16, 32, -128, 127])
    case 'int16':
      return pick(random, [0, 1, -1, 2, 5, -2, -0x8000, 0x7fff])
    case 'uint16':
    case 'uint32':
      return pick(random, [0, 1, 0xffff])
    case 'int32':
      return pick(random, [0, 1, 2, 3, 7, -1, -2, 10, 1000, 2 ** 31 - 1, -(2 ** 31)])
    case 'int64':
      return pick(random, [0, 1, 2, -1, -2, -3, -4, -5, -6, -7, 10, 2 ** 31, 2 ** 53 - 1, -(2 ** 53), 1_700_000_000_000])
    case 'float64':
      return pick(random, [0, -1, 1])
    case 'string':
      return pick(random, chance(random, 2) ? texts : oddTexts)
    case 'uuid':
      return pick(random, ['00000000-0000-0000-0000-000000000000', '99999999-9999-4999-8999-999999999999', ...texts.filter(text => text.startsWith('«topic'))])
    case 'bytes':
      return { bytes: pick(random, ['', 'x', 'bytes']) }
    case 'records':
      return null
  }
}

const oddTexts: readonly string[] = ['', ' ', '.', '..', 'a/b', 'a b', 'é', '~nothing', `~${'x'.repeat(242)}`, `~${'x'.repeat(243)}`, `~${'y'.repeat(5000)}`, '*', 'null', 'range', 'consumer', '~a.b', '~a_b']
