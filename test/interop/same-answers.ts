// Two brokers were told one story: what they answered, beside each other.

import { expect } from 'vitest'

export interface Answered {
  readonly asked: unknown
  readonly answer: unknown
}

/** Shows each question that ours has answered otherwise than Apache Kafka, with both answers. */
export function expectSameAnswers(ours: readonly Answered[], apache: readonly Answered[]): void {
  const differing = ours.flatMap(({ asked, answer }, index) => (JSON.stringify(answer) === JSON.stringify(apache[index]?.answer) ? [] : [{ asked, ours: answer, apache: apache[index]?.answer }]))
  expect(differing).toEqual([])
}
