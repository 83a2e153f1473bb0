// What consumer groups write and answer, in order: an answer waits until all that its group wrote before it is durable.

import type { ErrorName } from '../wire/error-code.ts'
import type { GroupWrite } from './consumer-group-room.ts'
import type { GroupAnswer } from './group-effects.ts'

interface Write {
  readonly groupId: string
  readonly facts: GroupWrite
  readonly answers: { readonly token: number; readonly answer: GroupAnswer; readonly failed: (error: ErrorName) => GroupAnswer }[]
}

export interface ConsumerGroupWritesOutbox {
  /** Answers the id by which {@link ConsumerGroupWrites.appended} is told the outcome. */
  append(facts: GroupWrite): number
  reply(token: number, answer: GroupAnswer): void
}

export class ConsumerGroupWrites {
  readonly #out: ConsumerGroupWritesOutbox
  readonly #writes = new Map<number, Write>()
  /** The last write of each group that has some under way. */
  readonly #last = new Map<string, number>()

  constructor(out: ConsumerGroupWritesOutbox) {
    this.#out = out
  }

  write(groupId: string, facts: GroupWrite): void {
    const id = this.#out.append(facts)
    this.#writes.set(id, { groupId, facts, answers: [] })
    this.#last.set(groupId, id)
  }

  reply(groupId: string, token: number, answer: GroupAnswer, failed: (error: ErrorName) => GroupAnswer): void {
    const last = this.#last.get(groupId)
    if (last === undefined) this.#out.reply(token, answer)
    else this.#writes.get(last)!.answers.push({ token, answer, failed })
  }

  /** What was to be written as `id`, now that it is, or is not; undefined if it is no write of consumer groups. */
  appended(id: number, error: ErrorName | null): { readonly groupId: string; readonly facts: GroupWrite } | undefined {
    const write = this.#writes.get(id)
    if (write === undefined) return undefined
    this.#writes.delete(id)
    if (this.#last.get(write.groupId) === id) this.#last.delete(write.groupId)
    for (const { token, answer, failed } of write.answers) this.#out.reply(token, error === null ? answer : failed(error))
    return write
  }
}
