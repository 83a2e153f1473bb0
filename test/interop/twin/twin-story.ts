// One story told to both brokers, step by step, until they differ; and the search for the shortest that still does.

import { seededRandom } from '../../../core/random.ts'
import { departureOf, departures } from './departures.ts'
import { differences, partWithError, type Difference } from './difference.ts'
import { nextStep } from './next-step.ts'
import { Storyteller, type Ask, type Step } from './storyteller.ts'
import { consumerNames, World } from './world.ts'

/** The two brokers, by their ports. */
export interface Twins {
  readonly apachePort: number
  readonly ourPort: number
  /** Whether ours makes records public when they are on the disk: those that nobody acknowledges at some time after, so that nobody sends such. */
  readonly isDurable: boolean
  /** Resolves when Apache Kafka's broker knows what its controller has decided. */
  readonly published: () => Promise<void>
  /** How often listed departures were met, by name. */
  readonly met: Map<string, number>
}

export interface Difficulty {
  readonly steps: readonly Step[]
  readonly ask: Ask
  readonly differences: readonly Difference[]
  readonly apache: unknown
  readonly ours: unknown
}

/** Null if both told the same. */
export async function tellRandomStory(twins: Twins, seed: number, length: number): Promise<Difficulty | null> {
  const world = new World(seededRandom(seed))
  return await tell(twins, function* () {
    for (let id = 0; id < length; id++) yield nextStep(world, id)
  }(), (step, answers) => world.learn(step, answers))
}

/** The same steps to the letter, as a story of its own. Null if they do not differ again. */
export async function tellAgain(twins: Twins, { steps }: Difficulty): Promise<Difficulty | null> {
  return await tell(twins, steps, () => {})
}

/** Leaves out steps as long as the same part of the same answer differs; `tries` is a limit. */
export async function shortened(twins: Twins, difficulty: Difficulty, tries = 60): Promise<Difficulty> {
  let shortest = difficulty
  let left = tries
  for (let size = Math.max(1, shortest.steps.length >> 1); size >= 1; size >>= 1) {
    for (let at = shortest.steps.length - 1 - size; at > -size && left > 0; at -= size) {
      const from = Math.max(0, at)
      const steps = [...shortest.steps.slice(0, from), ...shortest.steps.slice(from + size, -1), shortest.steps.at(-1)!]
      if (steps.length >= shortest.steps.length) continue
      left--
      const again = await tell(twins, steps, () => {})
      if (again !== null && again.ask.api === difficulty.ask.api && JSON.stringify(again.differences[0]) === JSON.stringify(difficulty.differences[0])) shortest = again
    }
  }
  return shortest
}

let stories = 0

/**
 * Whom Apache Kafka's assignors give what is not enough for all follows from the places of the members' names in a hash map of Java's, where ours go by
 * the alphabet: so the prefix is one with which both are the same order.
 */
function newPrefix(): string {
  for (;;) {
    const prefix = `s${String(stories++).padStart(5, '0')}-`
    const places = consumerNames.map(name => javaPlace(prefix + name.slice(1)))
    if (places.every((place, index) => index === 0 || places[index - 1]! < place)) return prefix
  }
}

/** In a map of Java's with up to twelve names. */
function javaPlace(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return (hash ^ (hash >>> 16)) & 15
}

async function tell(twins: Twins, steps: Iterable<Step>, learn: (step: Step, answers: readonly unknown[]) => void): Promise<Difficulty | null> {
  const prefix = newPrefix()
  const apache = new Storyteller(twins.apachePort, prefix, twins.published)
  const ours = new Storyteller(twins.ourPort, prefix, async () => {})
  const told: Step[] = []
  try {
    for (const chosen of steps) {
      const step = twins.isDurable ? acknowledged(chosen) : chosen
      told.push(step)
      const [expected, actual] = await Promise.all([apache.tell(step), ours.tell(step)])
      let ends = false
      for (const [index, ask] of step.asks.entries()) {
        const { unlisted, listed } = sorted(ask, expected[index], actual[index])
        for (const name of new Set(listed)) twins.met.set(name, (twins.met.get(name) ?? 0) + 1)
        if (unlisted.length > 0) return { steps: told, ask, differences: unlisted, apache: expected[index], ours: actual[index] }
        if (listed.some(name => departures[name]!.endsStory === true)) ends = true
      }
      if (ends) return null
      learn(step, expected)
    }
    return null
  } finally {
    apache.close()
    ours.close()
  }
}

function acknowledged(step: Step): Step {
  return { ...step, asks: step.asks.map(ask => (ask.api === 'Produce' && ask.body['acks'] === 0 ? { ...ask, body: { ...ask.body, acks: 1 } } : ask)) }
}

/** The differences that no departure covers, and the departures that cover the others. */
function sorted(ask: Ask, apache: unknown, ours: unknown): { readonly unlisted: readonly Difference[]; readonly listed: readonly string[] } {
  const unlisted: Difference[] = []
  const listed: string[] = []
  for (const difference of differences(apache, ours)) {
    const name = departureOf({ ...difference, ask, around: { apache: partWithError(apache, difference.path), ours: partWithError(ours, difference.path) } })
    if (name === undefined) unlisted.push(difference)
    else listed.push(name)
  }
  return { unlisted, listed }
}

/** For people: the steps that led there and what each broker said. */
export function retold({ steps, ask, differences: differing, apache, ours }: Difficulty): string {
  return [
    ...steps.filter(({ id }) => id > 0).map(step => `  ${step.id}: ${step.asks.map(({ api, version, body }) => `${api} ${version} ${cut(body, 700)}`).join(' | ')}`),
    `${ask.api} ${ask.version} differs:`,
    ...differing.slice(0, 5).map(({ path, apache: theirs, ours: our }) => `  ${path}: Apache Kafka ${cut(theirs)}, ours ${cut(our)}`),
    `  Apache Kafka: ${cut(apache, 500)}`,
    `  ours:         ${cut(ours, 500)}`,
  ].join('\n')
}

function cut(value: unknown, most = 300): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= most ? text : `${text.slice(0, most)}…`
}
