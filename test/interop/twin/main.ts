// Tells random stories to both brokers and prints where they differ: node tools/run-ts.mjs test/interop/twin/main.ts [stories] [first seed] [steps]

import { systemClock } from '../../../core/clock.ts'
import { kindOf } from './tell-stories.ts'
import { startTwins } from './twin-brokers.ts'
import { retold, shortened, tellAgain, tellRandomStory } from './twin-story.ts'

const [stories = 50, firstSeed = 1, steps = 60] = process.argv.slice(2).map(Number)
const print = (text: string): void => void process.stdout.write(`${text}\n`)
const seen = new Map<string, number>()
await using twins = await startTwins()
const start = systemClock.now()
for (let seed = firstSeed; seed < firstSeed + stories; seed++) {
  const difficulty = await tellRandomStory(twins, seed, steps)
  if (difficulty === null) continue
  const kind = kindOf(difficulty)
  const count = (seen.get(kind) ?? 0) + 1
  seen.set(kind, count)
  print(`── seed ${seed}: ${kind}${(await tellAgain(twins, difficulty)) === null ? ', not when told again' : ''}`)
  if (count <= 2) print(retold(await shortened(twins, difficulty)))
}
print(`${stories} stories in ${systemClock.now() - start} ms; met: ${[...twins.met].map(([name, count]) => `${name} (${count})`).join(', ')}`)
for (const [kind, count] of [...seen].sort((a, b) => b[1] - a[1])) print(`${count} × ${kind}`)
process.exit(0)
