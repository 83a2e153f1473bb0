// Tells random stories to both brokers and prints where they differ: node tools/run-ts.mjs test/interop/twin/main.ts [stories] [first seed] [steps] [at once]

import { systemClock } from '../../../core/clock.ts'
import { kindOf } from './tell-stories.ts'
import { startTwins, twinsFor } from './twin-brokers.ts'
import { retold, shortened, tellAgain, tellRandomStory } from './twin-story.ts'

const [stories = 50, firstSeed = 1, steps = 60, atOnce = 1] = process.argv.slice(2).map(Number)
const print = (text: string): void => void process.stdout.write(`${text}\n`)
const seen = new Map<string, number>()
await using brokers = await startTwins()
const start = systemClock.now()

async function tell(seed: number): Promise<void> {
  const twins = twinsFor(brokers, seed)
  const difficulty = await tellRandomStory(twins, seed, steps)
  if (difficulty === null) return
  const kind = kindOf(difficulty)
  const count = (seen.get(kind) ?? 0) + 1
  seen.set(kind, count)
  print(`── seed ${seed}: ${kind}${(await tellAgain(twins, difficulty)) === null ? ', not when told again' : ''}`)
  if (count <= 2) print(retold(await shortened(twins, difficulty)))
}

let next = firstSeed
await Promise.all(Array.from({ length: atOnce }, async () => {
  while (next < firstSeed + stories) await tell(next++)
}))
print(`${stories} stories in ${systemClock.now() - start} ms; met: ${[...brokers.met].map(([name, count]) => `${name} (${count})`).join(', ')}`)
for (const [kind, count] of [...seen].sort((a, b) => b[1] - a[1])) print(`${count} × ${kind}`)
process.exit(0)
