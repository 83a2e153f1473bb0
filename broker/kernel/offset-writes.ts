// Offsets, and groups that are to be forgotten, on their way to the log: they count once they are in it.

import type { Timestamp } from '../../core/record.ts'
import { errorCodeOf, type ErrorName } from '../wire/error-code.ts'
import type { GroupBook } from './group-book.ts'
import type { GroupOutbox } from './group-outbox.ts'
import type { OffsetFact } from './group-positions.ts'
import type { GroupFact } from './group-records.ts'
import type { ProducerIdentity } from './transaction-state.ts'

type Write =
  | { readonly token: number | null; readonly facts: readonly GroupFact[] }
  | { readonly token: number; readonly producerId: number }

export class OffsetWrites {
  readonly #book: GroupBook
  readonly #out: GroupOutbox
  readonly #writes = new Map<number, Write>()

  constructor(book: GroupBook, out: GroupOutbox) {
    this.#book = book
    this.#out = out
  }

  /** `token`: who is answered then; null if nobody asked. */
  write(facts: readonly GroupFact[], token: number | null): void {
    if (facts.length === 0) {
      if (token !== null) this.#out.reply(token, 0)
      return
    }
    const id = this.#out.append(facts)
    this.#writes.set(id, { token, facts })
    this.#book.positions.writing(facts, id)
  }

  /** In a producer's transaction: they count once it is committed. */
  pend(facts: readonly OffsetFact[], producer: ProducerIdentity, token: number): void {
    const { producerId } = producer
    const id = this.#out.append(facts, producer)
    this.#writes.set(id, { token, producerId })
    this.#book.positions.pend(producerId, facts, id)
  }

  /** What was handed out as `id` is in the log, or, with an error, is not. */
  appended(id: number, error: ErrorName | null, now: Timestamp): void {
    const write = this.#writes.get(id)
    if (write === undefined) return
    this.#writes.delete(id)
    if ('facts' in write) {
      this.#book.positions.written(id)
      if (error === null) for (const fact of write.facts) this.#book.apply(fact, id, now)
    } else if (error !== null) this.#book.positions.withdraw(write.producerId, id)
    if (write.token !== null) this.#out.reply(write.token, errorCodeOf(error ?? 'NONE'))
  }
}
