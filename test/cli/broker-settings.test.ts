// The settings that `millrace broker` is started with: from files, from --set, refused with the nearest name, and listed.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { brokerConfigs } from '../../broker/kernel/broker-config.ts'
import { brokerSettings, ignoredText } from '../../cli/settings/broker-settings.ts'
import { kafkaSettings } from '../../broker/kernel/kafka-settings.ts'
import { millrace, parseLines, startMillrace, temporaryDirectory } from './command.ts'

function fileOf(text: string): string {
  const file = join(temporaryDirectory(), 'server.properties')
  writeFileSync(file, text)
  return file
}

test("Apache Kafka's own file is taken; what means nothing here is named", async () => {
  const file = fileOf(`
# The first lines of Apache Kafka's server.properties.
process.roles=broker,controller
node.id=3
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
listener.name.internal.ssl.key.password=x
num.io.threads=8
log.dirs=/tmp/kraft-combined-logs
num.partitions = 2\u0020
log.retention.hours=168
`)
  const { settings, ignored, listen } = await brokerSettings(file, ['num.partitions=5', 'log.retention.ms=-1'])
  const advertised = { listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093', 'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093' }
  expect(settings).toEqual({ ...advertised, 'listener.name.internal.ssl.key.password': 'x', 'node.id': '3', 'num.partitions': '5', 'log.retention.hours': '168', 'log.retention.ms': '-1' })
  expect(listen).toEqual(['PLAINTEXT://:9092', 'CONTROLLER://:9093'])
  expect(ignored).toEqual(['log.dirs', 'num.io.threads', 'process.roles'])
  expect(ignoredText('f', ignored)).toContain('log.dirs (--data says where)')
})

test("a file's advertised.listeners counts where its port is listened on; elsewhere it would send every client to another place", async () => {
  const file = fileOf('advertised.listeners=PLAINTEXT://kafka.example.com:9092')
  expect(await brokerSettings(file, [], ['0.0.0.0:9092'])).toMatchObject({ settings: { 'advertised.listeners': 'PLAINTEXT://kafka.example.com:9092' }, ignored: [] })
  expect(await brokerSettings(file, [], ['0.0.0.0:19092'])).toMatchObject({ settings: {}, ignored: ['advertised.listeners'] })
  expect((await brokerSettings(file, ['advertised.listeners=a:1'], ['0.0.0.0:19092'])).settings).toEqual({ 'advertised.listeners': 'a:1' })
  expect(ignoredText('f', ['advertised.listeners'])).toContain('--advertise says where clients find it')
})

test('the command line says where to listen, else a file or --set, else it is this machine alone', async () => {
  const file = fileOf('listeners=IN://127.0.0.1:1,OUT://0.0.0.0:2\nadvertised.listeners=OUT://a.example.com:3\nlistener.name.out.ssl.client.auth=required\n')
  expect((await brokerSettings(undefined, [])).listen).toEqual(['127.0.0.1:9092'])
  expect(await brokerSettings(file, [])).toMatchObject({ listen: ['IN://127.0.0.1:1', 'OUT://0.0.0.0:2'], settings: { 'advertised.listeners': 'OUT://a.example.com:3', 'listener.name.out.ssl.client.auth': 'required' }, ignored: [] })
  expect((await brokerSettings(file, ['listeners=A://127.0.0.1:4'])).listen).toEqual(['A://127.0.0.1:4'])
  expect(await brokerSettings(file, [], ['IN://:5', 'OUT://:6'])).toMatchObject({ listen: ['IN://:5', 'OUT://:6'], settings: { 'advertised.listeners': 'OUT://a.example.com:3' }, ignored: ['listeners'] })
  expect(await brokerSettings(file, [], [':5'])).toMatchObject({ listen: [':5'], ignored: ['advertised.listeners', 'listeners'] })
  await expect(brokerSettings(undefined, ['listener.name.out.super.users=a'])).rejects.toThrow('means nothing here')
})

test.each([
  ['num.partition=2', [], 'There is no setting num.partition in'],
  ['', ['num.partition=2'], 'There is no setting num.partition.'],
  ['', ['num.io.threads=2'], 'The setting num.io.threads of Apache Kafka means nothing here: one thread serves all.'],
  ['', ['group.consumer.assignment.interval.ms=5'], 'means nothing here: partitions are shared out at once.'],
  ['', ['num.partitions'], '--set num.partitions is no NAME=VALUE.'],
  ['a=\\u12', [], ':1: \\u stands before'],
])('%j and %j are refused', async (text, set, message) => {
  await expect(brokerSettings(fileOf(text), set)).rejects.toThrow(message)
})

test('a typing error is answered with the name that was meant', async () => {
  await expect(brokerSettings(undefined, ['log.retentoin.ms=2'])).rejects.toMatchObject({ code: 'UNKNOWN_SETTING', hint: 'Did you mean log.retention.ms?' })
})

test("in a file a typing error in one of Apache Kafka's settings is told from these", async () => {
  await expect(brokerSettings(fileOf('num.io.thread=8'), [])).rejects.toMatchObject({ code: 'UNKNOWN_SETTING', hint: 'Did you mean num.io.threads?' })
  await expect(brokerSettings(fileOf('num.partition=8'), [])).rejects.toMatchObject({ code: 'UNKNOWN_SETTING', hint: 'Did you mean num.partitions?' })
  expect((await brokerSettings(fileOf('group.share.enable=true\nrsm.config.a=b\nremote.log.metadata.topic.num.partitions=5'), [])).ignored.length).toBe(3)
})

test("no setting is both ours and only Kafka's but for those that came later", () => {
  expect(kafkaSettings.size).toBeGreaterThan(200)
  for (const name of ['node.id', 'num.partitions', 'log.retention.ms']) expect(kafkaSettings.has(name)).toBe(false)
})

test.each([
  [['--listen', 'foo'], 'The address to listen on is foo, which is not host:port.', 'For example 127.0.0.1:9092;'],
  [['--listen', '127.0.0.1:65536'], 'is 127.0.0.1:65536, which is not host:port.', 'the port is 0 to 65535'],
  [['--metrics', 'foo'], 'The address of the metrics is foo, which is not host:port.', 'For example 127.0.0.1:9092;'],
  [['--advertise', '0.0.0.0:1'], 'must be a host:port that clients can reach', 'For example'],
  [['--set', 'num.partition=1'], 'There is no setting num.partition.', 'Did you mean num.partitions?'],
  [['--set', 'num.partitions=x'], 'Invalid value x for configuration num.partitions', ''],
  [['--users', 'no-such-file'], 'no-such-file, which cannot be read', ''],
])('broker %j is a command that makes no sense', async (args, message, hint) => {
  const listen = args[0] === '--listen' ? [] : ['--listen', '127.0.0.1:0']
  const { status, stdout, stderr } = await millrace(['broker', '--memory', ...listen, ...args])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain(hint)
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2)
})

test('--help-settings lists every setting', async () => {
  const lines = parseLines<{ name: string }>((await millrace(['broker', '--help-settings', '--json'])).stdout)
  expect(lines.map(({ name }) => name)).toEqual([...brokerConfigs.keys()].sort())
  const { stdout } = await millrace(['broker', '--help-settings'])
  expect(stdout).toMatch(/^setting +type +default +changes +means$/m)
  expect(stdout).toMatch(/^num\.partitions +int +1 +at start +Partitions of topics that do not say\.$/m)
  expect(stdout).toMatch(/^log\.retention\.ms +long +- +any time /m)
})

test('a broker starts from a file', async () => {
  const running = startMillrace(['broker', '--listen', '127.0.0.1:0', '--data', temporaryDirectory(), '--config', fileOf('num.partitions=7\nlog.dirs=/nowhere\n')])
  const [address] = await running.until('stdout', /^127\.0\.0\.1:\d+/m)
  expect(running.stderr()).toContain('log.dirs (--data says where)')
  expect((await millrace(['topics', 'create', 't', '--bootstrap', address])).status).toBe(0)
  expect((await millrace(['topics', 'describe', 't', '--bootstrap', address])).stdout.trim().split('\n')).toHaveLength(8)
  running.child.kill('SIGTERM')
  expect((await running.ended).status).toBe(0)
})
