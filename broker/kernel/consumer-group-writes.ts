// What consumer groups write and answer, in order: an answer waits until all that its group wrote before it is durable.

import { errorCodeOf, type ErrorName } from '../wire/error-code.ts'
import type { ConsumerGroupFact } from './consumer-group.ts'
import type { HeartbeatAnswer } from './group-effects.ts'

interface Write {
  readonly groupId: string
  readonly facts: readonly ConsumerGroupFact[]
  readonly answers: { readonly token: number; readonly answer: HeartbeatAnswer }[]
}

export interface ConsumerGroupWritesOutbox {
  /** Answers the id by which {@link ConsumerGroupWrites.appended} is told the outcome. */
  append(facts: readonly ConsumerGroupFact[]): number
  reply(token: number, answer: HeartbeatAnswer): void
}

export class ConsumerGroupWrites {
  readonly #out: ConsumerGroupWritesOutbox
  readonly #writes = new Map<number, Write>()
  /** The last write of each group that has some under way. */
  readonly #last = new Map<string, number>()

  constructor(out: ConsumerGroupWritesOutbox) {
    this.#out = out
  }

  write(groupId: string, facts: readonly ConsumerGroupFact[]): void {
    const id = this.#out.append(facts)
    this.#writes.set(id, { groupId, facts, answers: [] })
    this.#last.set(groupId, id)
  }

  reply(groupId: string, token: number, answer: HeartbeatAnswer): void {
    const last = this.#last.get(groupId)
    if (last === undefined) this.#out.reply(token, answer)
    else this.#writes.get(last)!.answers.push({ token, answer })
  }

  /** What was to be written as `id`, now that it is, or is not; undefined if it is no write of consumer groups. */
  appended(id: number, error: ErrorName | null): { readonly groupId: string; readonly facts: readonly ConsumerGroupFact[] } | undefined {
    const write = this.#writes.get(id)
    if (write === undefined) return undefined
    this.#writes.delete(id)
    if (this.#last.get(write.groupId) === id) this.#last.delete(write.groupId)
    const failure: HeartbeatAnswer | null = error === null ? null : { errorCode: errorCodeOf(error), memberEpoch: 0, heartbeatIntervalMs: 0 }
    for (const { token, answer } of write.answers) this.#out.reply(token, failure ?? answer)
    return write
  }
}
