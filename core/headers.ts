// Headers are a record's ordered list of named byte strings, as Apache Kafka has them: duplicates allowed, order kept.

/** One header: a name and its bytes, or null. */
export interface Header {
  readonly key: string
  readonly value: Uint8Array | null
}

/** What the constructor and {@link Headers.add} take for a value: bytes as they are, a string as UTF-8. */
export type HeaderValue = Uint8Array | string | null

/**
 * A record's headers. Mutable, as Kafka's are: a processor that adds one changes the record it holds.
 * Copy with {@link Headers.copy} before changing what someone else may read.
 */
export class Headers implements Iterable<Header> {
  #list: Header[] | null = null

  /** Number of headers. */
  get size(): number {
    return this.#list === null ? 0 : this.#list.length
  }

  add(key: string, value: HeaderValue): this {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    if (this.#list === null) this.#list = [{ key, value: bytes }]
    else this.#list.push({ key, value: bytes })
    return this
  }

  /** The last header of that name, as Kafka's `lastHeader`. */
  last(key: string): Header | undefined {
    return this.#list?.findLast(header => header.key === key)
  }

  /** All values of that name, in order. */
  all(key: string): readonly Header[] {
    return this.#list?.filter(header => header.key === key) ?? []
  }

  /** Removes every header of that name, or, without a name, all of them. */
  remove(key?: string): this {
    this.#list = key === undefined || this.#list === null ? null : this.#list.filter(header => header.key !== key)
    return this
  }

  copy(): Headers {
    const copy = new Headers()
    if (this.#list !== null) copy.#list = this.#list.slice()
    return copy
  }

  toArray(): readonly Header[] {
    return this.#list ?? []
  }

  [Symbol.iterator](): Iterator<Header> {
    return this.toArray()[Symbol.iterator]()
  }

  /** Headers from `[name, value]` pairs. */
  static of(...pairs: readonly (readonly [string, HeaderValue])[]): Headers {
    const headers = new Headers()
    for (const [key, value] of pairs) headers.add(key, value)
    return headers
  }
}
