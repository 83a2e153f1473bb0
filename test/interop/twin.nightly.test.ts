// The long form of twin.test.ts: other seeds and longer stories, as many as it takes for every listed departure to occur.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandom } from '../../core/random.ts'
import { departures } from './twin/departures.ts'
import { tellStories } from './twin/tell-stories.ts'
import { startTwins, type TwinBrokers } from './twin/twin-brokers.ts'

let twins: TwinBrokers
beforeAll(async () => {
  twins = await startTwins()
})
afterAll(async () => {
  await twins?.[Symbol.asyncDispose]()
})

const firstSeed = Number(process.env['MILLRACE_SEED'] ?? systemRandom.uint32() % 1_000_000)
const stories = 400
/** After so many a departure that has not occurred is taken for gone. */
const mostStories = 1600

const missing = (): readonly string[] => Object.keys(departures).filter(name => !twins.met.has(name))

test(`${stories} random stories and more are answered as by Apache Kafka (MILLRACE_SEED=${firstSeed})`, { timeout: 7_200_000 }, async () => {
  const differing: string[] = []
  for (let told = 0; told < stories || (told < mostStories && missing().length > 0); told += 100) {
    differing.push(...(await tellStories(twins, { firstSeed: firstSeed + told, stories: 100, steps: 80 })))
  }
  expect(differing.join('\n\n')).toBe('')
  expect(missing(), 'listed departures that have gone').toEqual([])
})
