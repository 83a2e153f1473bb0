// The long form of twin.test.ts: other seeds and longer stories, in which every listed departure occurs.

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

test(`${stories} random stories are answered as by Apache Kafka (MILLRACE_SEED=${firstSeed})`, async () => {
  const differing = await tellStories(twins, { firstSeed, stories, steps: 80 })
  expect(differing.join('\n\n')).toBe('')
  expect(Object.keys(departures).filter(name => !twins.met.has(name)), 'listed departures that have gone').toEqual([])
})
