// What the commands that look after a cluster do, on any cluster: ours (test/cli) and Apache Kafka's (test/interop).

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { errorCodeOf } from '../../broker/wire/error-code.ts'
import { TransactionalProducer } from '../broker/server/transactional-producer.ts'
import { millraceHere } from './command-here.ts'
import { millrace, parseLines, startMillrace, temporaryDirectory } from './command.ts'

interface GroupObject {
  readonly group: string
  readonly type: string
  readonly state: string
  readonly members: readonly { readonly clientId: string; readonly partitions: readonly unknown[] }[]
  readonly offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number | null; readonly end: number; readonly lag: number | null }[]
}

/** Those read standard input, or stop at a signal. */
function isOfRecords([command]: readonly string[]): boolean {
  return command === 'produce' || command === 'consume'
}

export interface ClusterLawOptions {
  /** Whether the cluster takes transactional batches for partitions that are in no transaction: such a transaction hangs. */
  readonly canHang?: boolean
}

/** `bootstrap` is asked for when the tests run. */
export function clusterLaws(bootstrap: () => string, { canHang = false }: ClusterLawOptions = {}): void {
  /** Ends well; gives standard output. */
  async function run(args: readonly string[], input = ''): Promise<string> {
    const whole = [...args, '--bootstrap', bootstrap()]
    const { status, stdout, stderr } = await (isOfRecords(args) ? millrace(whole, input) : millraceHere(whole))
    expect(status, `${args.join(' ')}\n${stderr}`).toBe(0)
    return stdout
  }

  async function fails(args: readonly string[], status: number, ...messages: readonly string[]): Promise<void> {
    const result = await millraceHere([...args, '--bootstrap', bootstrap()])
    expect(result, args.join(' ')).toMatchObject({ status, stdout: '' })
    for (const message of messages) expect(result.stderr).toContain(message)
  }

  function connect(): Promise<Channel> {
    const [host, port] = bootstrap().split(':') as [string, string]
    return connectTcpChannel({ host, port: Number(port), clock: systemClock, clientId: 'laws' })
  }

  /** Apache Kafka's coordinator is there a little later than its name. */
  async function producerOf(channel: Channel, transactionalId: string): Promise<TransactionalProducer> {
    const producer = new TransactionalProducer(channel, transactionalId, 1)
    for (let tries = 1000; (await producer.init()) !== 'NONE' && tries > 0; tries--) continue
    return producer
  }

  const lines = (text: string): readonly string[] => text.trim().split('\n')
  const offsets = async (topic: string, at: string): Promise<readonly (number | null)[]> => parseLines<{ offset: number | null }>(await run(['records', 'offsets', topic, '--at', at, '--json'])).map(({ offset }) => offset)
  const group = async (name: string): Promise<GroupObject> => parseLines<GroupObject>(await run(['groups', 'describe', name, '--json']))[0]!

  test('there are records, and a group that has read them', async () => {
    await run(['topics', 'create', 'events', '--partitions', '2', '--replication-factor', '1'])
    const records = Array.from({ length: 20 }, (_, i) => JSON.stringify({ key: `k${i}`, value: i, partition: i % 2, timestamp: 1_700_000_000_000 + i * 60_000 }))
    await run(['produce', 'events'], records.join('\n'))
    await run(['consume', 'events', '--group', 'audit', '--from-beginning', '--until-end'])
  })

  test('topics are described with their replicas, and given more partitions', async () => {
    expect(lines(await run(['topics', 'describe', 'events']))[1]).toMatch(/^events +0 +0 +10 +10 +1 +1 +1$/)
    await run(['topics', 'create', 'grown', '--partitions', '1'])
    await run(['topics', 'alter', 'grown', '--partitions', '3'])
    expect(lines(await run(['topics', 'describe', 'grown']))).toHaveLength(4)
    await fails(['topics', 'alter', 'grown', '--partitions', '2'], 1, 'grown')
    await fails(['topics', 'alter', 'grwon', '--partitions', '4'], 1, 'There is no topic grwon.', 'Did you mean grown?')
  })

  test('groups are listed and described', async () => {
    expect(await run(['groups', 'list'])).toMatch(/^audit +classic +consumer +Empty$/m)
    expect(parseLines(await run(['groups', 'list', '--json']))).toContainEqual({ group: 'audit', type: 'classic', protocolType: 'consumer', state: 'Empty' })
    const text = lines(await run(['groups', 'describe', 'audit']))
    expect(text[0]).toMatch(/^audit: Empty, classic.*, 0 members$/)
    expect(text[2]).toMatch(/^events +0 +10 +10 +0 +- +-$/)
    await run(['produce', 'events'], JSON.stringify({ key: 'late', value: 1, partition: 1, timestamp: 1_700_100_000_000 }))
    expect((await group('audit')).offsets.map(({ partition, offset, end, lag }) => [partition, offset, end, lag])).toEqual([[0, 10, 10, 0], [1, 10, 11, 1]])
    expect(await run(['groups', 'describe', '--all'])).toContain('audit: Empty')
    await fails(['groups', 'describe', 'audti'], 1, 'There is no group audti.', 'Did you mean audit?')
    await fails(['groups', 'describe'], 2, 'No group is named.')
  })

  test('members of a group are shown, and keep its offsets from being reset', async () => {
    const consumer = startMillrace(['consume', 'events', '--group', 'busy', '--from-beginning', '--bootstrap', bootstrap()])
    await consumer.until('stdout', /(.*\n){21}/)
    const { state, members } = await group('busy')
    expect([state, members.length, members[0]!.partitions.length]).toEqual(['Stable', 1, 2])
    expect(await run(['groups', 'describe', 'busy', '--members'])).toMatch(/ 2 +events-0 events-1$/m)
    await fails(['groups', 'reset-offsets', 'busy', '--all-topics', '--to-earliest'], 1, 'The group busy has 1 member (Stable).')
    await fails(['groups', 'delete', 'busy'], 1, 'NON_EMPTY_GROUP')
    consumer.child.kill('SIGINT')
    await consumer.ended
    await run(['groups', 'delete', 'busy'])
    await fails(['groups', 'delete', 'busy'], 1, 'There is no group busy.')
  })

  test('a group reads on from elsewhere, once it is told to', async () => {
    const reset = async (...args: readonly string[]): Promise<readonly unknown[]> => parseLines<{ partition: number; newOffset: number }>(await run(['groups', 'reset-offsets', 'audit', ...args, '--json'])).map(({ partition, newOffset }) => [partition, newOffset])
    expect(await reset('--all-topics', '--to-earliest')).toEqual([[0, 0], [1, 0]])
    expect((await group('audit')).offsets.map(({ offset }) => offset)).toEqual([10, 10])
    expect(await reset('--topic', 'events', '--to-latest')).toEqual([[0, 10], [1, 11]])
    expect(await reset('--topic', 'events:1', '--to-offset', '4')).toEqual([[1, 4]])
    expect(await reset('--topic', 'events:1', '--to-offset', '99')).toEqual([[1, 11]])
    expect(await reset('--topic', 'events', '--shift-by', '-3')).toEqual([[0, 7], [1, 7]])
    expect(await reset('--topic', 'events', '--shift-by', '-30')).toEqual([[0, 0], [1, 0]])
    expect(await reset('--topic', 'events', '--to-datetime', '2023-11-14T22:18:20Z')).toEqual([[0, 3], [1, 2]])
    expect(await reset('--topic', 'events', '--by-duration', '30m')).toEqual([[0, 10], [1, 11]])
    expect(await reset('--topic', 'events', '--to-current')).toEqual([[0, 10], [1, 10]])
    const file = join(temporaryDirectory(), 'offsets.csv')
    writeFileSync(file, 'events,0,2\n"events",1,3\n')
    expect(await reset('--from-file', file, '--execute')).toEqual([[0, 2], [1, 3]])
    expect((await group('audit')).offsets.map(({ offset, lag }) => [offset, lag])).toEqual([[2, 8], [3, 8]])
    writeFileSync(file, await run(['groups', 'reset-offsets', 'audit', '--topic', 'events', '--shift-by', '1', '--json']))
    expect(await reset('--from-file', file, '--execute')).toEqual([[0, 3], [1, 4]])
    expect(await reset('--topic', 'events', '--shift-by', '-1', '--execute')).toEqual([[0, 2], [1, 3]])
    writeFileSync(file, 'events,0,2\n{"topic":\n')
    await fails(['groups', 'reset-offsets', 'audit', '--from-file', file], 1, 'Entry 2 of')
    expect(await run(['groups', 'reset-offsets', 'audit', '--topic', 'events', '--to-earliest'])).toMatch(/^events +1 +3 +0$/m)
    await fails(['groups', 'reset-offsets', 'audit', '--topic', 'events'], 2, 'It is not said where to.')
    await fails(['groups', 'reset-offsets', 'audit', '--topic', 'events', '--to-earliest', '--to-latest'], 2, 'in two ways')
    await fails(['groups', 'reset-offsets', 'audit', '--to-earliest'], 2, 'It is not said which topics.')
    await fails(['groups', 'reset-offsets', 'audit', '--topic', 'events:7', '--to-earliest'], 1, 'events has no partition 7.')
  })

  test('offsets of a group are forgotten, and the group', async () => {
    await run(['groups', 'reset-offsets', 'fresh', '--topic', 'events', '--to-latest', '--execute'])
    await run(['groups', 'delete-offsets', 'fresh', '--topic', 'events:0'])
    expect((await group('fresh')).offsets.map(({ partition }) => partition)).toEqual([1])
    await run(['groups', 'delete', 'fresh'])
    await fails(['groups', 'describe', 'fresh'], 1, 'There is no group fresh.')
  })

  test('settings are changed and shown', async () => {
    await run(['configs', 'alter', '--topic', 'events', '--set', 'retention.ms=-1', '--append', 'cleanup.policy=compact'])
    expect(await run(['configs', 'describe', '--topic', 'events'])).toMatch(/^topic events +retention.ms +-1 +topic +any time$/m)
    const all = parseLines<{ name: string; value: string; source: string }>(await run(['configs', 'describe', '--topic', 'events', '--all', '--json']))
    expect(all.length).toBeGreaterThan(20)
    expect(all.find(({ name }) => name === 'cleanup.policy')).toMatchObject({ value: 'delete,compact', source: 'topic' })
    expect(await run(['configs', 'list'])).toMatch(/^topic events +cleanup.policy +delete,compact +topic/m)
    await run(['configs', 'alter', '--topic', 'events', '--delete', 'retention.ms', '--subtract', 'cleanup.policy=compact'])
    expect(await run(['configs', 'describe', '--topic', 'events'])).not.toContain('retention.ms')
    await run(['configs', 'alter', '--topic', 'events', '--set', 'retention.ms=5', '--dry-run'])
    expect(await run(['configs', 'describe', '--topic', 'events'])).not.toContain('retention.ms')
    await fails(['configs', 'alter', '--topic', 'events', '--set', 'retention.ms=soon'], 1, 'retention.ms')
    await fails(['configs', 'alter', '--topic', 'events', '--set', 'retention=5'], 1, 'has no setting retention.', 'Did you mean retention.ms?')
    await fails(['configs', 'alter', '--topic', 'events'], 2, 'Nothing is to be changed.')
    await fails(['configs', 'describe'], 2, 'It is not said whose settings.')
    await fails(['configs', 'describe', '--broker', '77'], 1, 'There is no broker 77.')
  })

  test('settings of brokers are changed while they run', async () => {
    await run(['configs', 'alter', '--broker', 'all', '--set', 'log.cleaner.delete.retention.ms=1234'])
    // A cluster's brokers hear of it a little later.
    await expect.poll(() => run(['configs', 'describe', '--broker', 'all']), { timeout: 15_000 }).toMatch(/^all brokers +log.cleaner.delete.retention.ms +1234 +dynamic default/m)
    expect(await run(['configs', 'describe', '--broker', '1', '--all'])).toMatch(/^broker 1 +num.partitions +\d+ +.*at start$/m)
    await run(['configs', 'alter', '--broker', 'all', '--delete', 'log.cleaner.delete.retention.ms'])
    await fails(['configs', 'alter', '--broker', '1', '--set', 'num.partitions=3'], 1, 'num.partitions')
  })

  test('offsets are found, and old records deleted', async () => {
    expect(await offsets('events', 'earliest')).toEqual([0, 0])
    expect(await offsets('events', '2023-11-14T22:18:20Z')).toEqual([3, 2])
    expect(await offsets('events', '2033-01-01')).toEqual([null, null])
    const file = join(temporaryDirectory(), 'records.json')
    writeFileSync(file, JSON.stringify({ partitions: [{ topic: 'events', partition: 0, offset: 4 }], version: 1 }, null, 2))
    await run(['records', 'delete', '--from-file', file])
    expect(await offsets('events', 'earliest')).toEqual([4, 0])
    await run(['records', 'delete', 'events:1', '--before-datetime', '2023-11-14T22:18:20Z'])
    expect(await offsets('events', 'earliest')).toEqual([4, 2])
    expect(await run(['records', 'delete', 'events', '--before', 'end'])).toMatch(/^events +1 +11$/m)
    await fails(['records', 'delete', 'events', '--before', '12'], 1, 'OFFSET_OUT_OF_RANGE')
    await fails(['records', 'delete', 'events'], 2, 'It is not said which records.')
    await fails(['records', 'offsets', 'evnets'], 1, 'Did you mean events?')
  })

  test('transactions are listed, described and ended', async () => {
    await run(['topics', 'create', 'paid', '--partitions', '1'])
    const channel = await connect()
    const producer = await producerOf(channel, 'till')
    expect(await producer.send('paid', ['one=1'])).toBe('NONE')
    expect(parseLines(await run(['transactions', 'list', '--state', 'Ongoing', '--json']))).toMatchObject([{ transactionalId: 'till', state: 'Ongoing' }])
    expect(await run(['transactions', 'list'])).toMatch(/^till +\d+ +Ongoing$/m)
    expect(await run(['transactions', 'describe', 'till'])).toMatch(/^till +\d+ +\d+ +Ongoing +\d+ +\d{4}-\S+Z +paid-0$/m)
    expect(await run(['transactions', 'producers', 'paid'])).toMatch(/^paid +0 +\d+ +\d+ +-?\d+ +0 +\d{4}-\S+Z +0$/m)
    expect(await run(['transactions', 'hanging', '--open-for', '0s'])).toBe('')
    await run(['transactions', 'abort', 'paid:0', '--start-offset', '0'])
    expect(await run(['transactions', 'producers', 'paid'])).toMatch(/Z +-$/m)
    await fails(['transactions', 'abort', 'paid:0', '--start-offset', '0'], 1, 'No such transaction is open in paid-0.')
    await fails(['transactions', 'describe', 'tlil'], 1, 'There is no transactional id tlil.', 'Did you mean till?')
    channel.close()
  })

  test.runIf(canHang)('a transaction that hangs is found and ended', async () => {
    await run(['topics', 'create', 'stuck', '--partitions', '1'])
    const channel = await connect()
    const producer = await producerOf(channel, 'ghost')
    expect(await producer.produce('stuck', ['lost=1'])).toBe('NONE')
    expect(parseLines(await run(['transactions', 'hanging', '--json']))).toMatchObject([{ topic: 'stuck', partition: 0, producerId: producer.producerId, openSince: 0 }])
    await run(['transactions', 'abort', 'stuck:0', '--producer', String(producer.producerId)])
    expect(await run(['transactions', 'hanging'])).toBe('')
    channel.close()
  })

  test('reading committed, nothing is seen of transactions that were aborted or are open', async () => {
    await run(['topics', 'create', 'tills', '--partitions', '1'])
    const channel = await connect()
    const producer = await producerOf(channel, 'till of tills')
    for (const [value, committed] of [['one', true], ['two', false], ['three', true]] as const) {
      // The end of the one before may be under way.
      for (let tries = 1000; (await producer.send('tills', [value])) === 'CONCURRENT_TRANSACTIONS' && tries > 0; tries--) continue
      for (let tries = 1000; (await producer.end(committed)) === 'CONCURRENT_TRANSACTIONS' && tries > 0; tries--) continue
    }
    for (let tries = 1000; (await producer.send('tills', ['four'])) === 'CONCURRENT_TRANSACTIONS' && tries > 0; tries--) continue
    const read = ['consume', 'tills', '--format', 'text', '--from-beginning', '--until-end']
    expect(await run(read)).toBe('one\ntwo\nthree\nfour\n')
    expect(await run([...read, '--read-committed'])).toBe('one\nthree\n')
    expect(await run([...read, '--read-committed', '--group', 'accountant'])).toBe('one\nthree\n')
    await producer.end(true)
    channel.close()
  })

  test('groups of KIP-848 are described, too', async context => {
    const channel = await connect()
    const memberId = 'Zm9yLXRoZS1sYXdz'
    const heartbeat = { groupId: 'newer', memberId, memberEpoch: 0, rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['grown'], topicPartitions: [] }
    const joined = await channel.request('ConsumerGroupHeartbeat', heartbeat, { version: 0 }).catch((error: Error & { code?: string }) => error)
    if (joined instanceof Error || joined.errorCode === errorCodeOf('UNSUPPORTED_VERSION')) return context.skip('the broker does not serve them')
    expect(joined.errorCode).toBe(0)
    expect(await group('newer')).toMatchObject({ type: 'consumer', members: [{ memberId, clientId: 'laws' }] })
    expect(await run(['groups', 'list'])).toMatch(/^newer +consumer +consumer +\S+$/m)
    channel.close()
  })
}
