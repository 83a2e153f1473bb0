// The administrator's story on Apache Kafka: its answers are those that our broker gives (test/broker/server/admin.test.ts).

import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { adminStory } from '../broker/server/admin-story.ts'
import { configStory } from '../broker/server/config-story.ts'
import { groupStory } from '../broker/server/group-story.ts'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'

let kafka: ApacheKafka
let channel: Channel
beforeAll(async () => {
  kafka = await startApacheKafka()
  channel = await connectTcpChannel({ host: kafka.host, port: kafka.port, clock: systemClock, clientId: 'admin-story' })
})
afterAll(async () => {
  channel?.close()
  await kafka?.[Symbol.asyncDispose]()
})

test.each([...configStory, ...adminStory, ...groupStory])('%s', async (_, ask, answer) => {
  expect(await ask(channel)).toEqual(answer)
})
