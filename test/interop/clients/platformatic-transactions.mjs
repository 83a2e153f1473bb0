// Transactions through @platformatic/kafka: platformatic-transactions.mjs BOOTSTRAP TOPIC.

import { clientPackage, tell } from './story.mjs'

const [bootstrap, topic] = process.argv.slice(2)
const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = await clientPackage('@platformatic/kafka')
const [source, sink, group] = [`${topic}-source`, `${topic}-sink`, `${topic}-group`]
const base = { clientId: 'platformatic-transactions', bootstrapBrokers: [bootstrap] }
const admin = new Admin(base)

function writer(name) {
  return new Producer({ ...base, idempotent: true, transactionalId: `${topic}-${name}`, serializers: stringSerializers })
}

function consumerOf(groupId) {
  return new Consumer({ ...base, groupId, autocommit: false, sessionTimeout: 6_000, heartbeatInterval: 200, maxWaitTime: 200, deserializers: stringDeserializers })
}

/** What a reader of committed records gets, up to a value that comes last. */
async function committed(name, last) {
  const consumer = consumerOf(`${name}-${last}`)
  const stream = await consumer.consume({ topics: [name], mode: 'earliest' })
  const values = []
  for await (const message of stream) {
    values.push(message.value)
    if (message.value === last) break
  }
  await stream.close()
  await consumer.close(true)
  return values
}

async function positionOf(groupId, name) {
  const [found] = await admin.listConsumerGroupOffsets({ groups: [{ groupId, topics: [{ name, partitionIndexes: [0] }] }] })
  return Number(found.topics[0].partitions[0].committedOffset)
}

await tell('create', async () => {
  for (const name of [topic, source, sink]) await admin.createTopics({ topics: [name], partitions: 1, replicas: 1 })
  return {}
})

await tell('commitAndAbort', async () => {
  const producer = writer('writer')
  for (const value of ['a', 'b', 'aborted', 'c', 'last']) {
    const transaction = await producer.beginTransaction()
    await transaction.send({ messages: [{ topic, key: 'k', value }] })
    if (value === 'aborted') await transaction.abort()
    else await transaction.commit()
  }
  await producer.close()
  return { values: await committed(topic, 'last') }
})

await tell('offsets', async () => {
  const feeder = new Producer({ ...base, serializers: stringSerializers })
  await feeder.send({ messages: ['1', '2'].map(value => ({ topic: source, value })) })
  await feeder.close()
  const consumer = consumerOf(group)
  const stream = await consumer.consume({ topics: [source], mode: 'earliest' })
  const producer = writer('offsets')
  const transaction = await producer.beginTransaction()
  await transaction.addConsumer(consumer)
  for await (const message of stream) {
    await transaction.addOffset(message)
    if (message.value === '2') break
  }
  await transaction.send({ messages: [{ topic: sink, value: 'last' }] })
  const before = await positionOf(group, source)
  await transaction.commit()
  const values = await committed(sink, 'last')
  const after = await positionOf(group, source)
  await stream.close()
  await consumer.close(true)
  await producer.close()
  return { values, offsets: [before, after] }
})

await admin.close()
