// The administrator's story on our broker; test/interop/admin.test.ts holds its answers against Apache Kafka's.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { adminStory } from './admin-story.ts'
import { configStory } from './config-story.ts'
import { groupStory } from './group-story.ts'

let broker: Broker
let channel: Channel
beforeAll(async () => {
  broker = await startBroker({ memory: true, settings: { 'offsets.topic.num.partitions': 4 } })
  channel = broker.connect()
})
afterAll(() => broker?.close())

test.each([...configStory, ...adminStory, ...groupStory])('%s', async (_, ask, answer) => {
  expect(await ask(channel)).toEqual(answer)
})
