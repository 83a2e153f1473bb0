// Seeded random stories of raw requests, over more than forty APIs, are answered as Apache Kafka answers them; twin/departures.ts lists where not.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { tellStories } from './twin/tell-stories.ts'
import { startTwins, type TwinBrokers } from './twin/twin-brokers.ts'

let twins: TwinBrokers
beforeAll(async () => {
  twins = await startTwins()
})
afterAll(async () => {
  await twins?.[Symbol.asyncDispose]()
})

const firstSeed = Number(process.env['MILLRACE_SEED'] ?? 1)

test(`forty random stories are answered as by Apache Kafka (MILLRACE_SEED=${firstSeed})`, async () => {
  const differing = await tellStories(twins, { firstSeed, stories: 40, steps: 50 })
  expect(differing.join('\n\n')).toBe('')
})
