// Apache Kafka's own command line tools on a Millrace broker on files.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { javaArguments } from './apache-kafka.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { runProgram, startProgram } from './program.ts'

const tools = {
  apiVersions: 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  configs: 'kafka.admin.ConfigCommand',
  consoleConsumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  consoleProducer: 'org.apache.kafka.tools.ConsoleProducer',
  consumerGroups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  consumerPerformance: 'org.apache.kafka.tools.ConsumerPerformance',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
  features: 'org.apache.kafka.tools.FeatureCommand',
  getOffsets: 'org.apache.kafka.tools.GetOffsetShell',
  logDirs: 'org.apache.kafka.tools.LogDirsCommand',
  leaderElection: 'org.apache.kafka.tools.LeaderElectionCommand',
  metadataQuorum: 'org.apache.kafka.tools.MetadataQuorumCommand',
  producerPerformance: 'org.apache.kafka.tools.ProducerPerformance',
  reassignPartitions: 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  topics: 'org.apache.kafka.tools.TopicCommand',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
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

/** Topics are made by kafka-topics too: where they are only needed, by the producers' wish. */
const topic = 'tools'
const lines = Array.from({ length: 30 }, (_, i) => `key-${i % 5}:value ${i}`)

test('kafka-topics creates, lists, describes, alters and deletes', async () => {
  await run('topics', ['--create', '--topic', topic, '--partitions', '2', '--config', 'segment.bytes=1048576', '--config', 'cleanup.policy=delete'])
  await run('topics', ['--create', '--topic', 'doomed', '--replication-factor', '1'])
  expect((await run('topics', ['--list'])).split('\n')).toEqual(expect.arrayContaining([topic, 'doomed']))
  await run('topics', ['--alter', '--topic', topic, '--partitions', '3'])
  const described = await run('topics', ['--describe', '--topic', topic])
  expect(described).toMatch(/Topic: tools\s+TopicId: \S+\s+PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: .*segment\.bytes=1048576/)
  expect(described.match(/Partition: \d\s+Leader: 1\s+Replicas: 1\s+Isr: 1/g)).toHaveLength(3)
  await run('topics', ['--delete', '--topic', 'doomed'])
  expect((await run('topics', ['--list'])).split('\n')).not.toContain('doomed')
  await expect(run('topics', ['--create', '--topic', topic])).rejects.toThrow("Topic 'tools' already exists")
  await expect(run('topics', ['--create', '--topic', 'two', '--replication-factor', '2'])).rejects.toThrow('InvalidReplicationFactor')
})

test('kafka-console-producer writes what kafka-console-consumer reads, keys, headers and timestamps too', async () => {
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

test('kafka-get-offsets and kafka-delete-records', async () => {
  const offsets = async (time: string): Promise<readonly number[]> =>
    (await run('getOffsets', ['--topic', topic, '--time', time])).trim().split('\n').sort().map(line => Number(line.split(':')[2]))
  const ends = await offsets('latest')
  expect(ends.reduce((sum, end) => sum + end, 0)).toBe(30)
  const full = ends.findIndex(end => end > 2)
  const file = join(broker.dataDirectory, 'delete-records.json')
  writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: full, offset: 2 }] }))
  expect(await run('deleteRecords', ['--offset-json-file', file])).toContain(`partition: ${topic}-${full}\tlow_watermark: 2`)
  expect(await offsets('earliest')).toEqual(ends.map((_, partition) => (partition === full ? 2 : 0)))
  // Of a partition with records, one that is there.
  const newest = await offsets('max-timestamp')
  expect(newest).toHaveLength(ends.length)
  ends.forEach((end, partition) => expect(newest[partition], `partition ${partition} of ${end} records`).toSatisfy((offset: number) => (end === 0 ? offset === -1 : offset >= 0 && offset < end)))
})

test('kafka-consumer-groups lists, describes, resets and deletes', async () => {
  expect((await run('consumerGroups', ['--list'])).split('\n')).toContain('console')
  const described = await run('consumerGroups', ['--describe', '--group', 'console'])
  expect(described.split('\n').filter(line => /^console\s+tools\s+\d\s+(\d+)\s+\1\s+0\s/.test(line))).toHaveLength(3)
  expect(await run('consumerGroups', ['--describe', '--group', 'console', '--state'])).toMatch(/console\s+127\.0\.0\.1:\d+\s+\(1\)\s+.*Empty\s+0/)
  await run('consumerGroups', ['--reset-offsets', '--to-earliest', '--group', 'console', '--topic', topic, '--execute'])
  const reset = await run('consumerGroups', ['--describe', '--group', 'console', '--offsets'])
  expect(reset.split('\n').filter(line => line.startsWith('console ')).reduce((lag, line) => lag + Number(line.split(/\s+/)[5]), 0)).toBe(28)
  await run('consumerGroups', ['--delete-offsets', '--group', 'console', '--topic', topic])
  await run('consumerGroups', ['--delete', '--group', 'console'])
  expect((await run('consumerGroups', ['--list'])).split('\n')).not.toContain('console')
})

test('kafka-configs describes and alters topics and brokers', async () => {
  await run('configs', ['--alter', '--entity-type', 'topics', '--entity-name', topic, '--add-config', 'retention.ms=7654321,cleanup.policy=[compact,delete]'])
  const described = await run('configs', ['--describe', '--entity-type', 'topics', '--entity-name', topic])
  expect(described).toContain('retention.ms=7654321 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=7654321')
  expect(described).toContain('cleanup.policy=compact,delete')
  await run('configs', ['--alter', '--entity-type', 'topics', '--entity-name', topic, '--delete-config', 'retention.ms'])
  expect(await run('configs', ['--describe', '--entity-type', 'topics', '--entity-name', topic])).not.toContain('retention.ms=')
  await expect(run('configs', ['--alter', '--entity-type', 'topics', '--entity-name', topic, '--add-config', 'retention.ms=soon'])).rejects.toThrow('retention.ms')
  await run('configs', ['--alter', '--entity-type', 'brokers', '--entity-default', '--add-config', 'log.retention.ms=86400000'])
  expect(await run('configs', ['--describe', '--entity-type', 'brokers', '--entity-default'])).toContain('log.retention.ms=86400000')
  expect(await run('configs', ['--describe', '--all', '--entity-type', 'brokers', '--entity-name', '1'])).toContain('num.partitions=1')
  await run('configs', ['--alter', '--entity-type', 'brokers', '--entity-name', '1', '--add-config', 'log.retention.ms=7200000'])
  expect(await run('configs', ['--describe', '--entity-type', 'brokers', '--entity-name', '1'])).toContain('synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=7200000, DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=86400000')
  await run('configs', ['--alter', '--entity-type', 'brokers', '--entity-name', '1', '--delete-config', 'log.retention.ms'])
  await expect(run('configs', ['--alter', '--entity-type', 'brokers', '--entity-name', '1', '--add-config', 'num.partitions=3'])).rejects.toThrow('num.partitions')
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

test('kafka-broker-api-versions and kafka-cluster', async () => {
  const versions = await run('apiVersions', [])
  expect(versions).toMatch(/\(id: 1 rack: null isFenced: false\) -> \(/)
  expect(versions).toMatch(/Produce\(0\): \d+ to 13/)
  expect((await runProgram('java', [...javaArguments(tools.cluster), 'cluster-id', '--bootstrap-server', broker.bootstrap])).toString()).toMatch(/^Cluster ID: \S+$/m)
  expect((await runProgram('java', [...javaArguments(tools.cluster), 'list-endpoints', '--bootstrap-server', broker.bootstrap])).toString()).toContain('127.0.0.1')
})

test('kafka-metadata-quorum, kafka-leader-election and kafka-reassign-partitions: one broker leads all', async () => {
  expect(await runBehind('metadataQuorum', ['describe', '--status'])).toMatch(/^LeaderId:\s+1$/m)
  expect(await runBehind('metadataQuorum', ['describe', '--replication'])).toMatch(/^1\s+\S+\s+\d+\s+0\s+.*Leader/m)
  const elected = await run('leaderElection', ['--election-type', 'preferred', '--topic', topic, '--partition', '0'])
  expect(elected).toMatch(/Valid replica already elected|Successfully completed/)
  await run('leaderElection', ['--election-type', 'preferred', '--all-topic-partitions'])
  const file = join(broker.dataDirectory, 'reassignment.json')
  writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas: [1] }] }))
  expect(await run('reassignPartitions', ['--execute', '--reassignment-json-file', file])).toContain('Successfully started partition reassignment')
  expect(await run('reassignPartitions', ['--verify', '--reassignment-json-file', file])).toContain(`Reassignment of partition ${topic}-0 is completed.`)
  expect(await run('reassignPartitions', ['--list'])).toContain('No partition reassignments found')
})

test('kafka-log-dirs tells the sizes of partitions and the room on the disk', async () => {
  await run('producerPerformance', ['--topic', 'sized', '--num-records', '10', '--record-size', '10', '--throughput', '-1'])
  const report = await run('logDirs', ['--describe', '--topic-list', 'sized'])
  const { brokers } = JSON.parse(report.split('\n').find(line => line.startsWith('{'))!) as { brokers: { logDirs: { error: unknown; logDir: string; partitions: { partition: string; size: number }[] }[] }[] }
  expect(brokers[0]!.logDirs[0]).toMatchObject({ error: null, logDir: broker.dataDirectory, partitions: [{ partition: 'sized-0', offsetLag: 0, isFuture: false }] })
  expect(brokers[0]!.logDirs[0]!.partitions[0]!.size).toBeGreaterThan(100)
})

test('kafka-transactions and kafka-features', async () => {
  await run('producerPerformance', ['--topic', 'paid', '--num-records', '100', '--record-size', '10', '--throughput', '-1', '--transactional-id', 'till', '--transaction-duration-ms', '50'])
  expect(await runBehind('transactions', ['list'])).toMatch(/^till\s+1\s+\d+\s+CompleteCommit/m)
  expect(await runBehind('transactions', ['describe', '--transactional-id', 'till'])).toMatch(/^1\s+till\s+\d+\s+\d+\s+CompleteCommit/m)
  expect(await runBehind('transactions', ['describe-producers', '--topic', 'paid', '--partition', '0'])).toMatch(/^\d+\s+\d+\s+\d+\s+-?\d+\s+\d+\s+None/m)
  expect(await runBehind('transactions', ['find-hanging', '--broker-id', '1'])).not.toMatch(/^paid/m)
  expect(await runBehind('features', ['describe'])).toMatch(/transaction\.version/)
})

/** Of tools whose commands stand behind the address. */
async function runBehind(tool: keyof typeof tools, args: readonly string[]): Promise<string> {
  return (await runProgram('java', [...javaArguments(tools[tool]), '--bootstrap-server', broker.bootstrap, ...args])).toString()
}

class Stopped implements AsyncDisposable {
  readonly program: ReturnType<typeof startProgram>

  constructor(program: ReturnType<typeof startProgram>) {
    this.program = program
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program.stop()
  }
}
