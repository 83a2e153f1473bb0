// Checks what a story was answered: each step as Apache Kafka answers it, or as a departure that is listed.

import { beforeAll, expect, test } from 'vitest'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { recordedAnswers, settingsOf, tellStories, type StoryLine } from './java-stories.ts'

/** Where we answer otherwise than Apache Kafka, by step: our whole answer or, of an answer with names, the parts of it that differ; and why. */
export type Departures = Readonly<Record<string, { readonly answer: unknown; readonly because: string }>>

/** Registers a test for each step of a story that Apache Kafka has answered; `tell` gives our lines, of this story and perhaps of others. */
export function storyLaws(story: string, tell: () => Promise<readonly StoryLine[]>, departures: Departures = {}): void {
  const expected = recordedAnswers(story)
  let lines: ReadonlyMap<string, StoryLine>
  beforeAll(async () => {
    lines = new Map((await tell()).filter(line => line.story === story).map(line => [line.step, line]))
  })
  test.for(expected.map(line => ({ title: titleOf(line, departures), line })))('$title', ({ line }) => {
    const ours = lines.get(line.step)
    const departure = departures[line.step]
    expect(answerOf(ours), ours?.message).toEqual(departure === undefined ? answerOf(line) : merged(answerOf(line), departure.answer))
  })
  test('every step has an answer of Apache Kafka, and every departure a step', () => {
    const steps = expected.map(({ step }) => step)
    expect([...lines.keys()]).toEqual(steps)
    expect(steps).toEqual(expect.arrayContaining(Object.keys(departures)))
  })
}

/** Stories on a Millrace broker on files of their own; all with the settings of the first. */
export async function tellStoriesToFileBroker(...stories: readonly [string, ...string[]]): Promise<readonly StoryLine[]> {
  await using broker: FileBroker = await startFileBroker(settingsOf(stories[0]))
  return await tellStories(stories, broker.bootstrap)
}

/** Messages of errors are for people: two brokers may word them in their own way. */
function answerOf(line: StoryLine | undefined): unknown {
  return line === undefined ? 'no answer' : line.error !== undefined ? { error: line.error } : line.result
}

function titleOf({ step }: StoryLine, departures: Departures): string {
  const departure = departures[step]
  return departure === undefined ? step : `${step}; but ${departure.because}`
}

/** Apache Kafka's answer with our parts in it. */
function merged(theirs: unknown, ours: unknown): unknown {
  if (!isNamed(theirs) || !isNamed(ours) || 'error' in theirs || 'error' in ours) return ours
  const all = { ...theirs }
  for (const [name, part] of Object.entries(ours)) all[name] = merged(theirs[name], part)
  return all
}

function isNamed(answer: unknown): answer is Readonly<Record<string, unknown>> {
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer)
}
