// Apache Kafka's own command line tools on a Millrace broker on files: all of them in one JVM with Apache Kafka's answers, and those that stream as programs of their own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { javaArguments } from './apache-kafka.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { toolDepartures } from './kafka-tools-departures.ts'
import { runProgram, startProgram } from './program.ts'
import { storyLaws, tellStoriesToFileBroker } from './story-laws.ts'

describe('all tools', () => {
  storyLaws('ToolsStory', () => tellStoriesToFileBroker('ToolsStory'), toolDepartures)
})

const tools = {
  consoleConsumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  consoleProducer: 'org.apache.kafka.tools.ConsoleProducer',
  consumerGroups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  consumerPerformance: 'org.apache.kafka.tools.ConsumerPerformance',
  producerPerformance: 'org.apache.kafka.tools.ProducerPerformance',
  topics: 'org.apache.kafka.tools.TopicCommand',
  verifiableConsumer: 'org.apache.kafka.tools.VerifiableConsumer',
  verifiableProducer: 'org.apache.kafka.tools.VerifiableProducer',
} as const

let broker: FileBroker
beforeAll(async () => {
  broker = await startFileBroker()
  javaArguments(tools.topics) // Fetches them.
})
afterAll(() => broker?.[Symbol.asyncDispose]())

async function run(tool: keyof typeof tools, args: readonly string[], input = ''): Promise<string> {
  return (await runProgram('java', [...javaArguments(tools[tool]), '--bootstrap-server', broker.bootstrap, ...args], { input })).toString()
}

const topic = 'tools'
const lines = Array.from({ length: 30 }, (_, i) => `key-${i % 5}:value ${i}`)

test('kafka-console-producer writes what kafka-console-consumer reads, keys, headers and timestamps too', async () => {
  await run('topics', ['--create', '--topic', topic, '--partitions', '3'])
  await run('consoleProducer', ['--topic', topic, '--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:', '--reader-property', 'parse.headers=true', '--reader-property', 'headers.delimiter=|', '--compression-codec', 'zstd'], lines.map(line => `from:console,empty:|${line}`).join('\n'))
  const formatted = ['print.key=true', 'print.headers=true', 'print.timestamp=true', 'print.partition=true', 'key.separator=:'].flatMap(property => ['--formatter-property', property])
  const read = (await run('consoleConsumer', ['--topic', topic, '--group', 'console', '--from-beginning', '--max-messages', '30', '--timeout-ms', '20000', ...formatted])).trim().split('\n')
  const parts = read.map(line => /^CreateTime:(\d{13}):Partition:(\d):from:console,empty::(key-\d:value \d+)$/.exec(line))
  expect(parts).not.toContain(null)
  expect(new Set(parts.map(part => part![3]))).toEqual(new Set(lines))
  expect(parts).toHaveLength(lines.length)
  // One partition a key, and within it the order.
  const partitions = new Map<string, Set<string>>()
  for (const part of parts) partitions.set(part![3]!.slice(0, 5), (partitions.get(part![3]!.slice(0, 5)) ?? new Set()).add(part![2]!))
  expect([...partitions.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 1])
})

test('kafka-producer-perf-test and kafka-consumer-perf-test', async () => {
  await run('topics', ['--create', '--topic', 'performance', '--partitions', '2'])
  const written = await run('producerPerformance', ['--topic', 'performance', '--num-records', '50000', '--record-size', '100', '--throughput', '-1', '--producer-props', 'acks=all', 'compression.type=snappy'])
  expect(written).toMatch(/^50000 records sent/m)
  const read = await run('consumerPerformance', ['--topic', 'performance', '--num-records', '50000', '--timeout', '20000'])
  expect(read.trim().split('\n').at(-1)!.split(', ')[4]).toMatch(/^5\d{4}$/)
})

test('kafka-verifiable-producer and kafka-verifiable-consumer', async () => {
  const written = await run('verifiableProducer', ['--topic', 'verifiable', '--max-messages', '500', '--acks', '-1'])
  expect(written.match(/"name":"producer_send_success"/g)).toHaveLength(500)
  await using consumer = new Stopped(startProgram('java', [...javaArguments(tools.verifiableConsumer), '--bootstrap-server', broker.bootstrap, '--topic', 'verifiable', '--group-id', 'verifiable', '--max-messages', '500', '--reset-policy', 'earliest']))
  await consumer.program.until(/"name":"shutdown_complete"/)
  const counts = [...consumer.program.output().matchAll(/"name":"records_consumed","count":(\d+)|"count":(\d+)[^}]*"name":"records_consumed"/g)]
  expect(counts.length, consumer.program.output()).toBeGreaterThan(0)
  const groups = await run('consumerGroups', ['--describe', '--group', 'verifiable'])
  expect(groups).toMatch(/verifiable\s+verifiable\s+0\s+500\s+500\s+0/)
})

class Stopped implements AsyncDisposable {
  readonly program: ReturnType<typeof startProgram>

  constructor(program: ReturnType<typeof startProgram>) {
    this.program = program
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program.stop()
  }
}
