// JavaScript's clients where a broker asks who they are: secure.mjs kafkajs|platformatic BOOTSTRAP TOPIC, settings as JSON on standard input; MODULES has the clients.
// Writes a large record to the topic, reads it back, and prints how many bytes came.

import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [client, bootstrap, topic] = process.argv.slice(2)
const require = createRequire(join(process.env.MODULES, 'package.json'))
const settings = JSON.parse(await text(process.stdin))
const value = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))

const read = client === 'kafkajs' ? await kafkajs() : await platformatic()
if (!read.equals(value)) throw new Error('other bytes came back')
console.log(read.length)
process.exit(0)

async function kafkajs() {
  const { Kafka, logLevel } = require('kafkajs')
  const kafka = new Kafka({ clientId: 'secure', brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 1 }, ...settings })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value }] })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: `${topic}-group` })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const found = await new Promise((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    void consumer.run({ eachMessage: async ({ message }) => resolve(message.value) })
  })
  await consumer.disconnect()
  return found
}

async function platformatic() {
  const { Consumer, MessagesStreamModes, Producer } = await import(pathToFileURL(require.resolve('@platformatic/kafka')).href)
  const options = { clientId: 'secure', bootstrapBrokers: [bootstrap], retries: 1, autocreateTopics: true, ...settings }
  const producer = new Producer(options)
  await producer.send({ messages: [{ topic, value }] })
  await producer.close()
  const consumer = new Consumer({ ...options, groupId: `${topic}-group` })
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: true })
  for await (const message of stream) return message.value
}
