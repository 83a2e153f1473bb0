// Tells many stories to both brokers and says, for people, which of them differ and how to tell them again.

import { twinsFor, type TwinBrokers } from './twin-brokers.ts'
import { retold, shortened, tellAgain, tellRandomStory, type Difficulty } from './twin-story.ts'

export interface Stories {
  readonly firstSeed: number
  readonly stories: number
  /** Of each. */
  readonly steps: number
}

/** So many are shortened; the others are known by their seeds. */
const mostShortened = 3

/** Empty if every answer was the same, or a listed departure. One that does not differ when it is told again was a matter of time, not of its answers. */
export async function tellStories(brokers: TwinBrokers, { firstSeed, stories, steps }: Stories): Promise<readonly string[]> {
  const differing: string[] = []
  for (let seed = firstSeed; seed < firstSeed + stories; seed++) {
    const twins = twinsFor(brokers, seed)
    const met = await tellRandomStory(twins, seed, steps)
    const difficulty = met === null ? null : await tellAgain(twins, met)
    if (difficulty === null) continue
    const command = `node tools/run-ts.mjs test/interop/twin/main.ts 1 ${seed} ${steps}`
    differing.push(`Seed ${seed} (${command}): ${kindOf(difficulty)}${differing.length < mostShortened ? `\n${retold(await shortened(twins, difficulty, 20))}` : ''}`)
  }
  return differing
}

/** In a few words, the same for stories that probably have one cause. */
export function kindOf({ ask, differences }: Difficulty): string {
  const { path, apache, ours } = differences[0]!
  return `${ask.api} ${path.replace(/\d+/g, 'n')} ${typeof apache === 'number' ? apache : typeof apache} ${typeof ours === 'number' ? ours : typeof ours}`
}
