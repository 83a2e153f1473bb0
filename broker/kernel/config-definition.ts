// How a setting of a topic or broker is described, checked and read; values are text, as Kafka's clients send them.

export type ConfigType = 'boolean' | 'string' | 'short' | 'int' | 'long' | 'double' | 'list' | 'password'

export interface ConfigDefinition {
  readonly name: string
  readonly type: ConfigType
  /** Null: not set, something else decides. */
  readonly default: string | null
  readonly documentation: string
  readonly min?: number
  readonly max?: number
  /** The values, or elements of the list, that are allowed. */
  readonly oneOf?: readonly string[]
  /** What the whole text must look like. */
  readonly pattern?: RegExp
  /** Of a topic: the broker settings that stand for it where it is not set, the strongest first, and what their unit is in ours. */
  readonly synonyms?: readonly { readonly name: string; readonly factor?: number }[]
  /** Of a broker: cannot be changed while it runs. */
  readonly readOnly?: true
  /** Of a broker: a listener can have its own. */
  readonly ofListener?: true
  /** Of a listener: its own can be changed while it is open. */
  readonly reloadable?: true
}

/** Numbers as DescribeConfigs has them. */
export const configTypeCodes: Readonly<Record<ConfigType, number>> = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7, password: 9 }

/** Where a value comes from, as DescribeConfigs numbers it. */
export const configSource = { topic: 1, dynamicBroker: 2, dynamicDefaultBroker: 3, staticBroker: 4, default: 5, group: 8 } as const

export const maxInt = 2147483647
/** Kafka's largest long; as text, for a number of ours would round it. */
export const maxLong = '9223372036854775807'

/** Not every version of the protocol could tell a longer one. */
const maxValueBytes = 0x7fff

/** What is wrong with a value, as a sentence; null if nothing. */
export function configProblem(definition: ConfigDefinition, value: string | null): string | null {
  if (value === null) return `Null value not supported for ${definition.name}.`
  const { name, type, oneOf, pattern } = definition
  if (type !== 'password' && Buffer.byteLength(value) > maxValueBytes) return `Invalid value for configuration ${name}: it is longer than ${maxValueBytes} bytes.`
  const bad = (why: string): string => `Invalid value ${type === 'password' ? '[hidden]' : value} for configuration ${name}: ${why}.`
  if (type === 'boolean' && !/^(true|false)$/i.test(value.trim())) return bad('it must be true or false')
  if (type === 'short' || type === 'int' || type === 'long' || type === 'double') return numberProblem(definition, value, bad)
  if (pattern !== undefined && !pattern.test(value.trim())) return bad(`it must look like ${pattern.source}`)
  // An element between two commas that is none is a stranger, too.
  const elements = type === 'list' ? (value.trim() === '' ? [] : value.split(',').map(element => element.trim())) : [type === 'boolean' ? value.trim().toLowerCase() : value]
  const stranger = oneOf === undefined ? undefined : elements.find(element => !oneOf.includes(element))
  return stranger === undefined ? null : bad(`it must be one of ${oneOf!.join(', ')}`)
}

function numberProblem(definition: ConfigDefinition, value: string, bad: (why: string) => string): string | null {
  const { type, min, max } = definition
  const pattern = type === 'double' ? /^[+-]?(NaN|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)$/ : /^[+-]?\d+$/
  if (!pattern.test(value.trim())) return bad(`it is not a number of type ${type.toUpperCase()}`)
  const number = Number(value)
  if (type === 'short' && (number > 32767 || number < -32768)) return bad('it is not a number of type SHORT')
  if (type === 'int' && (number > maxInt || number < -maxInt - 1)) return bad('it is not a number of type INT')
  if (type === 'long' && BigInt.asIntN(64, BigInt(value.trim().replace('+', ''))) !== BigInt(value.trim().replace('+', ''))) return bad('it is not a number of type LONG')
  // What is not a number is neither too small nor too large.
  if (min !== undefined && number < min) return bad(`it must be at least ${min}`)
  if (max !== undefined && number > max) return bad(`it must be at most ${max}`)
  return null
}

export function listOf(value: string): readonly string[] {
  return value.split(',').map(element => element.trim()).filter(element => element !== '')
}

/** A value as Apache Kafka shows what it has read: numbers without signs and spaces that say nothing, lists without spaces. */
export function shownValue({ type }: ConfigDefinition, value: string | null): string | null {
  if (value === null || type === 'string' || type === 'password') return value
  const trimmed = value.trim()
  if (type === 'boolean') return trimmed.toLowerCase()
  if (type === 'list') return trimmed === '' ? '' : [...new Set(trimmed.split(/\s*,\s*/))].join(',')
  return type === 'double' ? javaDouble(Number(trimmed)) : String(BigInt(trimmed.replace('+', '')))
}

function javaDouble(number: number): string {
  const size = Math.abs(number)
  if (number === 0 || Number.isNaN(number) || (size >= 1e-3 && size < 1e7)) return Number.isInteger(number) ? number.toFixed(1) : String(number)
  const [digits, exponent] = number.toExponential().split('e') as [string, string]
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}
