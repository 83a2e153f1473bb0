// Bounds what a small request can make the broker build: the parts of one answer, where they are more than what was asked for by name.

import { MillraceError } from '../../../core/error.ts'
import { MAX_ELEMENTS_PER_MESSAGE } from '../../wire/byte-reader.ts'

export class AnswerBudget {
  #left: number = MAX_ELEMENTS_PER_MESSAGE / 2

  /** To be called before `parts` (structs, most of them) of the answer are made. @throws MillraceError ANSWER_TOO_LARGE, which closes the connection */
  admit(parts: number): void {
    this.#left -= parts
    if (this.#left < 0) throw new MillraceError('ANSWER_TOO_LARGE', `An answer would have more than ${MAX_ELEMENTS_PER_MESSAGE / 2} parts.`, { hint: 'Ask for less in one request.' })
  }
}
