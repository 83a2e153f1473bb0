// What the groups of one coordinator want done in a turn, in order: answers, records to append, timers.

import type { GroupAnswer, GroupEffect, GroupTimer } from './group-effects.ts'
import { encodeFact, type GroupFact } from './group-records.ts'
import type { ProducerIdentity } from './transaction-state.ts'

export class GroupOutbox {
  #effects: GroupEffect[] = []
  #nextOrder = 0

  /** Of the next record in the log: later is greater. */
  nextOrder(): number {
    return this.#nextOrder++
  }

  /** Answers the records' order, by which the coordinator is told their outcome. */
  append(facts: readonly GroupFact[], producer?: ProducerIdentity): number {
    const id = this.nextOrder()
    this.#effects.push({ kind: 'append', id, records: facts.map(encodeFact), ...(producer === undefined ? {} : { producer }) })
    return id
  }

  reply(token: number, answer: GroupAnswer): void {
    this.#effects.push({ kind: 'reply', token, answer })
  }

  timer(timer: GroupTimer, delayMs: number): void {
    this.#effects.push({ kind: 'timer', timer, delayMs })
  }

  cancel(timer: GroupTimer): void {
    this.#effects.push({ kind: 'cancel', timer })
  }

  /** What this turn wants done; the next one begins with nothing. */
  take(): readonly GroupEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
