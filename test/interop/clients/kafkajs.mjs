// The story of kafkajs: kafkajs.mjs BOOTSTRAP TOPIC.

import { allRecords, byPlace, clientPackage, comesTrue, condition, FIRST_TIMESTAMP, PARTITIONS, RECORDS, tell } from './story.mjs'

const [bootstrap, topic] = process.argv.slice(2)
const { default: kafkajs } = await clientPackage('kafkajs')
const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs
const group = `${topic}-group`
const kafka = new Kafka({ brokers: [bootstrap], clientId: 'kafkajs-story', logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()

await tell('create', async () => {
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true })
  // kafkajs gives false instead of the error; a check only says it.
  const again = await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] })
  return { partitions: await partitionsOf(), again: again === false ? 36 : 0 }
})

await tell('produce', async () => {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const messages = allRecords.map(({ timestamp, ...rest }) => ({ ...rest, timestamp: String(timestamp) }))
  await producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages: messages.slice(0, 30) })
  await producer.send({ topic, acks: -1, messages: messages.slice(30) })
  await producer.disconnect()
  const offsets = await admin.fetchTopicOffsets(topic)
  return { ends: offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high)) }
})

await tell('read', async () => {
  const records = []
  await consuming(`${topic}-read`, (partition, message) => {
    const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, value.toString()]))
    records.push([partition, Number(message.offset), text(message.key), text(message.value), Number(message.timestamp), headers])
    return records.length === RECORDS
  })
  return { records: records.sort(byPlace) }
})

await tell('times', async () => {
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, FIRST_TIMESTAMP + 30_500)
  return { offsets: offsets.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset)) }
})

await tell('seek', async () => {
  let value
  await consuming(`${topic}-seek`, (partition, message) => {
    if (partition !== 1 || Number(message.offset) < 15) return false
    value ??= text(message.value)
    return true
  }, consumer => {
    for (const partition of [0, 1, 2]) consumer.seek({ topic, partition, offset: partition === 1 ? '15' : '20' })
  })
  return { value }
})

await tell('group', async () => {
  const seen = new Set()
  const first = await member(seen, () => true)
  const alone = await first.share
  const last = await member(seen, () => all.changed())
  const all = condition('all records', () => seen.size === RECORDS)
  const shared = await Promise.all([first.nextShare(), last.share])
  await all.met
  await Promise.all([first, last].map(({ consumer }, i) => consumer.commitOffsets(shared[i].map(partition => ({ topic, partition, offset: '20' })))))
  await Promise.all([first.consumer.disconnect(), last.consumer.disconnect()])
  const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  return { alone, shared, read: seen.size, committed: partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset)) }
})

let resumed
await tell('resume', async () => {
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ partition: 2, value: 'one more' }] })
  await producer.disconnect()
  let value
  const read = condition('a record', () => value)
  resumed = kafka.consumer({ groupId: group, sessionTimeout: 6_000, heartbeatInterval: 200 })
  await resumed.connect()
  await resumed.subscribe({ topics: [topic], fromBeginning: true })
  await resumed.run({ eachMessage: async ({ message }) => {
    value = text(message.value)
    read.changed()
  } })
  return { value: await read.met }
})

await tell('groups', async () => {
  const { groups } = await admin.listGroups()
  const { groups: [described] } = await admin.describeGroups([group])
  return { listed: groups.some(({ groupId }) => groupId === group), state: described.state, members: described.members.length }
})

await tell('deleteGroup', async () => {
  const refused = await admin.deleteGroups([group]).then(() => 0, error => error.groups[0].errorCode)
  await resumed.disconnect()
  await admin.deleteGroups([group])
  const { groups } = await admin.listGroups()
  return { refused, listed: groups.some(({ groupId }) => groupId === group) }
})

await tell('configs', async () => {
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const retention = async () => {
    const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: true })
    return resources[0].configEntries.find(({ configName }) => configName === 'retention.ms').configValue
  }
  const before = await retention()
  await admin.alterConfigs({ resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '123456' }] }] })
  return { before, after: await retention() }
})

await tell('partitions', async () => {
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  return { partitions: await partitionsOf() }
})

await tell('deleteRecords', async () => {
  // It asks for the offsets of partitions that were added just now, which their broker may not lead yet, and does not ask again by itself.
  await whileRetriable(() => admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '12' }] }))
  const low = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0).low
  let first
  await consuming(`${topic}-after`, (partition, message) => {
    if (partition === 0) first ??= Number(message.offset)
    return first !== undefined
  })
  return { lowWatermark: Number(low), first }
})

await tell('deleteTopic', async () => {
  await admin.deleteTopics({ topics: [topic] })
  // A cluster's brokers hear of it a little later.
  return { listed: !await comesTrue(async () => !(await admin.listTopics()).includes(topic)) }
})

await admin.disconnect()

async function whileRetriable(call) {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (!error.retriable || tries === 50) throw error
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

async function partitionsOf() {
  const { topics: [found] } = await admin.fetchTopicMetadata({ topics: [topic] })
  return found.partitions.length
}

/** Reads the topic from its beginning, in a group of its own, until `isLast`. */
async function consuming(groupId, isLast, running = () => {}) {
  let isDone = false
  const done = condition('the last record', () => isDone)
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6_000 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => {
    isDone ||= isLast(partition, message)
    done.changed()
  } })
  running(consumer)
  await done.met
  await consumer.disconnect()
}

async function member(seen, changed) {
  const shares = []
  const waiting = []
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6_000, heartbeatInterval: 200 })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const share = [...payload.memberAssignment[topic] ?? []].sort((a, b) => a - b)
    if (share.length > 0) (waiting.shift() ?? (each => shares.push(each)))(share)
  })
  const nextShare = async () => shares.shift() ?? new Promise(resolve => waiting.push(resolve))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const share = nextShare()
  await consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => {
    seen.add(`${partition}/${message.offset}`)
    changed()
  } })
  return { consumer, share, nextShare }
}

function text(bytes) {
  return bytes === null ? null : bytes.toString()
}
