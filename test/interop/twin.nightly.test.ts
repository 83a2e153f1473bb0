// The long form of twin.test.ts: other seeds and longer stories, as many as it takes for every listed departure that is not rare to occur.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandom } from '../../core/random.ts'
import { whyNoApacheKafka } from './apache-kafka.ts'
import { departures } from './twin/departures.ts'
import { tellStories } from './twin/tell-stories.ts'
import { startTwins, type TwinBrokers } from './twin/twin-brokers.ts'

let twins: TwinBrokers | null = null
const absent = whyNoApacheKafka()
beforeAll(async () => {
  if (absent === null) twins = await startTwins()
}, 300_000)
afterAll(async () => {
  await twins?.[Symbol.asyncDispose]()
}, 60_000)

const firstSeed = Number(process.env['MILLRACE_SEED'] ?? systemRandom.uint32() % 1_000_000)
const stories = 300
/** After so many a departure that has not occurred is taken for gone. */
const mostStories = 600
const atOnce = 50

test(`${stories} random stories and more are answered as by Apache Kafka (MILLRACE_SEED=${firstSeed})`, { timeout: 3_600_000 }, async context => {
  if (twins === null) return context.skip(absent ?? 'Apache Kafka did not start.')
  const { met } = twins
  const missing = (): readonly string[] => Object.keys(departures).filter(name => departures[name]!.isRare !== true && !met.has(name))
  const differing: string[] = []
  for (let told = 0; told < stories || (told < mostStories && missing().length > 0); told += atOnce) {
    differing.push(...(await tellStories(twins, { firstSeed: firstSeed + told, stories: atOnce, steps: 80 })))
  }
  expect(differing.join('\n\n')).toBe('')
  expect(missing(), 'listed departures that have gone').toEqual([])
})
