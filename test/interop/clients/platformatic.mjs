// The story of @platformatic/kafka, which speaks only new versions of the protocol: platformatic.mjs BOOTSTRAP TOPIC.

import { once } from 'node:events'
import { allRecords, byPlace, comesTrue, clientPackage, condition, FIRST_TIMESTAMP, PARTITIONS, RECORDS, tell } from './story.mjs'

const [bootstrap, topic] = process.argv.slice(2)
const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = await clientPackage('@platformatic/kafka')
const group = `${topic}-group`
const base = { clientId: 'platformatic-story', bootstrapBrokers: [bootstrap] }
const admin = new Admin(base)
const [TOPIC, SET] = [2, 0]

await tell('create', async () => {
  await admin.createTopics({ topics: [topic], partitions: PARTITIONS, replicas: 1 })
  const again = await admin.createTopics({ topics: [topic], partitions: PARTITIONS, replicas: 1 }).then(() => 0, codeOf)
  return { partitions: await partitionsOf(), again }
})

await tell('produce', async () => {
  const producer = new Producer({ ...base, idempotent: true, serializers: stringSerializers })
  const messages = allRecords.map(({ key, value, timestamp, ...rest }) => ({ topic, ...rest, key: key ?? undefined, value: value ?? undefined, timestamp: BigInt(timestamp) }))
  await producer.send({ messages: messages.slice(0, 30), compression: 'lz4' })
  await producer.send({ messages: messages.slice(30) })
  await producer.close()
  return { ends: await offsetsAt(-1n) }
})

await tell('read', async () => {
  const records = []
  await reading(0n, message => {
    records.push([message.partition, Number(message.offset), message.key ?? null, message.value ?? null, Number(message.timestamp), Object.fromEntries(message.headers)])
    return records.length === RECORDS
  })
  return { records: records.sort(byPlace) }
})

await tell('times', async () => ({ offsets: await offsetsAt(BigInt(FIRST_TIMESTAMP + 30_500)) }))

await tell('seek', async () => {
  let value
  await reading(15n, message => {
    if (message.partition === 1) value ??= message.value
    return value !== undefined
  })
  return { value }
})

await tell('group', async () => {
  const seen = new Set()
  const all = condition('all records', () => seen.size === RECORDS)
  const first = member(seen, all)
  const alone = await first.share
  const rejoined = first.nextShare()
  const last = member(seen, all)
  const shared = await Promise.all([rejoined, last.share])
  await all.met
  for (const [i, { consumer }] of [first, last].entries()) {
    await consumer.commit({ offsets: shared[i].map(partition => ({ topic, partition, offset: 20n, leaderEpoch: -1 })) })
  }
  for (const { stream, consumer } of [first, last]) {
    await (await stream).close()
    await consumer.close(true)
  }
  const [{ topics: [{ partitions }] }] = await admin.listConsumerGroupOffsets({ groups: [group] })
  return { alone, shared, read: seen.size, committed: partitions.sort((a, b) => a.partitionIndex - b.partitionIndex).map(({ committedOffset }) => Number(committedOffset)) }
})

let resumed
await tell('resume', async () => {
  const producer = new Producer({ ...base, serializers: stringSerializers })
  await producer.send({ messages: [{ topic, partition: 2, value: 'one more' }] })
  await producer.close()
  resumed = consumerOf(group)
  const stream = await resumed.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' })
  const [message] = await once(stream, 'data')
  await stream.close()
  return { value: message.value }
})

await tell('groups', async () => {
  const listed = (await admin.listGroups()).has(group)
  const described = (await admin.describeGroups({ groups: [group] })).get(group)
  const state = described.state
  return { listed, state: `${state[0]}${state.slice(1).toLowerCase()}`, members: described.members.size }
})

await tell('deleteGroup', async () => {
  const refused = await admin.deleteGroups({ groups: [group] }).then(() => 0, codeOf)
  await resumed.close(true)
  await admin.deleteGroups({ groups: [group] })
  return { refused, listed: (await admin.listGroups()).has(group) }
})

await tell('configs', async () => {
  const resource = { resourceType: TOPIC, resourceName: topic }
  const retention = async () => {
    const [{ configs }] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: ['retention.ms'] }] })
    return configs.find(({ name }) => name === 'retention.ms').value
  }
  const before = await retention()
  await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [{ name: 'retention.ms', configOperation: SET, value: '123456' }] }] })
  return { before, after: await retention() }
})

await tell('partitions', async () => {
  await admin.createPartitions({ topics: [{ name: topic, count: 5, assignments: null }] })
  return { partitions: await partitionsOf() }
})

await tell('deleteRecords', async () => {
  const [{ partitions: [{ lowWatermark }] }] = await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 12n }] }] })
  const [first] = await offsetsAt(-2n)
  return { lowWatermark: Number(lowWatermark), first }
})

await tell('deleteTopic', async () => {
  await admin.deleteTopics({ topics: [topic] })
  // A cluster's brokers hear of it a little later.
  return { listed: !await comesTrue(async () => !(await admin.listTopics()).includes(topic)) }
})

await admin.close()

/** The first error of the broker in what was thrown. */
function codeOf(error) {
  if (error.apiCode !== undefined) return error.apiCode
  for (const each of error.errors ?? (error.cause ? [error.cause] : [])) {
    const code = codeOf(each)
    if (code !== undefined) return code
  }
}

async function partitionsOf() {
  const found = await admin.metadata({ topics: [topic], forceUpdate: true })
  return found.topics.get(topic).partitionsCount
}

async function offsetsAt(timestamp) {
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
  const [{ partitions: found }] = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
  return found.sort((a, b) => a.partitionIndex - b.partitionIndex).map(({ offset }) => Number(offset))
}

function consumerOf(groupId) {
  return new Consumer({ ...base, groupId, autocommit: false, sessionTimeout: 6_000, heartbeatInterval: 200, maxWaitTime: 200, deserializers: stringDeserializers })
}

/** Reads every partition from `offset` on, until `isLast`. */
async function reading(offset, isLast) {
  const consumer = consumerOf(`${topic}-alone`)
  const offsets = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset }))
  const stream = await consumer.consume({ topics: [topic], mode: 'manual', offsets })
  for await (const message of stream) {
    if (isLast(message)) break
  }
  await stream.close()
  await consumer.close(true)
}

function member(seen, all) {
  const consumer = consumerOf(group)
  const joined = new Promise(resolve => consumer.once('consumer:group:join', resolve))
  const shareOf = ({ assignments }) => assignments.filter(each => each.topic === topic).flatMap(({ partitions }) => partitions).sort((a, b) => a - b)
  const stream = consumer.consume({ topics: [topic], mode: 'earliest' }).then(opened => opened.on('data', message => {
    seen.add(`${message.partition}/${message.offset}`)
    all.changed()
  }))
  return { consumer, stream, share: joined.then(shareOf), nextShare: () => new Promise(resolve => consumer.once('consumer:group:join', resolve)).then(shareOf) }
}
