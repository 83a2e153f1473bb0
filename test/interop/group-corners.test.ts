// Odd corners of groups are the same here and on Apache Kafka: one story of requests, told to both.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectLog } from '../../broker/client/connect-log.ts'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { sleep, systemClock } from '../../core/clock.ts'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { tellGroupStory, type Told } from './group-story.ts'
import { expectSameAnswers } from './same-answers.ts'

let apache: ApacheKafka
let ours: FileBroker
beforeAll(async () => {
  ours = await startFileBroker({ 'offsets.topic.num.partitions': 4 })
  apache = await startApacheKafka({ settings: { 'group.consumer.assignment.interval.ms': '0' } })
})
afterAll(async () => {
  await ours?.[Symbol.asyncDispose]()
  await apache?.[Symbol.asyncDispose]()
})

async function story(bootstrap: string): Promise<readonly Told[]> {
  const log = await connectLog({ bootstrap })
  await log.admin.createTopics([{ name: 'a', partitions: 4 }, { name: 'b', partitions: 2 }])
  await log.close()
  const [host, port] = bootstrap.split(':') as [string, string]
  const connect = (): Promise<Channel> => connectTcpChannel({ host, port: Number(port), clock: systemClock })
  const [channel, other] = [await connect(), await connect()]
  // Every partition of __consumer_offsets has its coordinator.
  const groups = Array.from({ length: 20 }, (_, index) => `warm-${index}`)
  const isReady = async (): Promise<boolean> => {
    await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: groups }, { version: 4 })
    return (await channel.request('DescribeGroups', { groups }, { version: 5 })).groups.every(({ errorCode }) => errorCode === 0)
  }
  while (!(await isReady())) await sleep(systemClock, 100)
  try {
    return await tellGroupStory(channel, other)
  } finally {
    channel.close()
    other.close()
  }
}

test('every answer is that of Apache Kafka', async () => {
  const expected = await story(apache.bootstrap)
  const told = await story(ours.bootstrap)
  expectSameAnswers(told, expected)
  expect(told.length).toBeGreaterThan(370)
}, 120_000)
