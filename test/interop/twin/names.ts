// What one broker calls the things of one story: topic ids, producer ids, member ids, and the story's own prefix; to the broker and back.

import { ZERO_UUID } from '../../../broker/wire/defaults.ts'
import { cooked, type BatchRecipe, type NumberName } from './recipe.ts'

const nobody = '99999999-9999-4999-8999-999999999999'
const noProducer = 987_654_321

/** In a story `~x` is the story's own x, and `«x»` what the broker named so. */
export class Names {
  readonly prefix: string
  readonly #real = new Map<string, string | number>()
  readonly #symbols = new Map<string | number, string>()

  constructor(prefix: string) {
    this.prefix = prefix
  }

  /** The first name of a thing stays. */
  bind(symbol: string, real: string | number): void {
    if (!this.#real.has(symbol)) this.#real.set(symbol, real)
    if (!this.#symbols.has(real)) this.#symbols.set(real, symbol)
  }

  /** What the broker is sent. */
  real(value: unknown): unknown {
    if (typeof value === 'string') return this.#realText(value)
    if (Array.isArray(value)) return value.map(element => this.real(element))
    if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value
    if ('named' in value) return this.#realNumber((value as NumberName).named)
    if ('bytes' in value) return Buffer.from((value as { bytes: string }).bytes)
    if ('batch' in value) return cooked((value as { batch: BatchRecipe }).batch, name => this.#realNumber(name))
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.real(part)]))
  }

  #realText(text: string): string {
    if (text.startsWith('~')) return this.prefix + text.slice(1)
    if (!text.startsWith('«')) return text
    return (this.#real.get(text) as string | undefined) ?? (text.startsWith('«topic') ? nobody : 'no-such-member')
  }

  #realNumber(name: string): number {
    return (this.#real.get(name) as number | undefined) ?? noProducer
  }

  /** What the broker meant. */
  symbolOfText(text: string): string {
    const symbol = this.#symbols.get(text)
    if (symbol !== undefined) return symbol
    if (text.startsWith(this.prefix)) return `~${text.slice(this.prefix.length)}`
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-/.test(text) || text === ZERO_UUID || text === nobody) return text
    return '«some id»'
  }

  symbolOfNumber(number: number): string | number {
    return number < 0 ? number : this.#symbols.get(number) ?? number
  }
}
