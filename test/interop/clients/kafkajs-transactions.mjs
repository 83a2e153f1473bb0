// Transactions through kafkajs: kafkajs-transactions.mjs BOOTSTRAP TOPIC.

import { clientPackage, condition, tell } from './story.mjs'

const [bootstrap, topic] = process.argv.slice(2)
const { default: { Kafka, logLevel } } = await clientPackage('kafkajs')
const [source, sink, group] = [`${topic}-source`, `${topic}-sink`, `${topic}-group`]
const kafka = new Kafka({ brokers: [bootstrap], clientId: 'kafkajs-transactions', logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()

async function writer(name) {
  const producer = kafka.producer({ transactionalId: `${topic}-${name}`, maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  return producer
}

/** What a reader of committed records gets, up to a value that comes last. */
async function committed(name, last) {
  const consumer = kafka.consumer({ groupId: `${name}-${last}` })
  await consumer.connect()
  await consumer.subscribe({ topics: [name], fromBeginning: true })
  const values = []
  const all = condition(`the record ${last}`, () => values.includes(last))
  await consumer.run({ eachMessage: async ({ message }) => {
    values.push(message.value.toString())
    all.changed()
  } })
  await all.met
  await consumer.disconnect()
  return values
}

await tell('create', async () => {
  await admin.createTopics({ topics: [topic, source, sink].map(name => ({ topic: name, numPartitions: 1 })), waitForLeaders: true })
  return {}
})

await tell('commitAndAbort', async () => {
  const producer = await writer('writer')
  for (const value of ['a', 'b', 'aborted', 'c', 'last']) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ key: 'k', value }] })
    if (value === 'aborted') await transaction.abort()
    else await transaction.commit()
  }
  await producer.disconnect()
  return { values: await committed(topic, 'last') }
})

await tell('offsets', async () => {
  const producer = await writer('offsets')
  await producer.send({ topic: source, messages: [{ value: '1' }, { value: '2' }] })
  const transaction = await producer.transaction()
  await transaction.send({ topic: sink, messages: [{ value: 'last' }] })
  await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: source, partitions: [{ partition: 0, offset: '2' }] }] })
  const before = await admin.fetchOffsets({ groupId: group, topics: [source] })
  await transaction.commit()
  const values = await committed(sink, 'last')
  const after = await admin.fetchOffsets({ groupId: group, topics: [source] })
  await producer.disconnect()
  return { values, offsets: [before, after].map(([found]) => Number(found.partitions[0].offset)) }
})

await admin.disconnect()
