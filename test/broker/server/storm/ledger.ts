// What is known of one partition from outside: what was sent, acknowledged and seen at which offset. Nothing of it may ever change.

import type { ReadRecord } from '../../log/batches.ts'

export class Ledger {
  readonly name: string
  /** By offset, what was acknowledged there or seen. */
  readonly #known = new Map<number, string>()
  readonly #acknowledged = new Map<string, number>()
  readonly #sent = new Set<string>()
  /** Below here records may be gone: somebody asked for it. */
  mayStartAt = 0
  /** The log began here when it was looked at last. */
  startedAt = 0
  /** Readers have seen so far. */
  highest = 0

  readonly timed: { readonly offset: number; readonly timestamp: number }[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Records that are no older than a time are there. */
  keepsFrom(start: number, time: number): void {
    for (const { offset, timestamp } of this.timed) if (timestamp >= time && offset < start) throw new Error(`${this.name}: the record at ${offset} is too young to be gone`)
  }

  sends(value: string): void {
    this.#sent.add(value)
  }

  acknowledged(offset: number, value: string): void {
    this.#learn(offset, value)
    this.#acknowledged.set(value, offset)
    this.highest = Math.max(this.highest, offset + 1)
  }

  saw({ offset, key, value }: ReadRecord): void {
    const content = `${key ?? ''}=${value ?? ''}`
    if (!this.#sent.has(content)) throw new Error(`${this.name}: nobody has sent ${content}, which is at ${offset}`)
    this.#learn(offset, content)
  }

  #learn(offset: number, content: string): void {
    const known = this.#known.get(offset)
    if (known !== undefined && known !== content) throw new Error(`${this.name}: offset ${offset} was ${known} and is ${content}`)
    this.#known.set(offset, content)
  }

  sawEnd(highWatermark: number): void {
    if (highWatermark < this.highest) throw new Error(`${this.name}: the high watermark was ${this.highest} and is ${highWatermark}`)
    this.highest = highWatermark
  }

  sawStart(offset: number): void {
    if (offset > this.mayStartAt) throw new Error(`${this.name}: the log begins at ${offset}, and may at ${this.mayStartAt}`)
    this.startedAt = offset
  }

  /** All that is there, from where the log begins. */
  holds(start: number, records: readonly ReadRecord[]): void {
    const found = new Map<string, number>()
    for (const record of records) {
      this.saw(record)
      const content = `${record.key ?? ''}=${record.value ?? ''}`
      if (record.value !== null && found.has(content)) throw new Error(`${this.name}: ${content} is at ${found.get(content)} and at ${record.offset}`)
      found.set(content, record.offset)
    }
    for (const [content, offset] of this.#acknowledged) if (offset >= start && found.get(content) !== offset) throw new Error(`${this.name}: ${content} was acknowledged at ${offset} and is ${found.has(content) ? `at ${found.get(content)}` : 'gone'}`)
    const gap = records.findIndex(({ offset }, index) => offset !== start + index)
    if (gap >= 0) throw new Error(`${this.name}: there is no record at ${start + gap}`)
  }
}
