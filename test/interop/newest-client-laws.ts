// What clients/confluent-newest.py must say, and the transactions at the end of clients/aiokafka-story.py: on our broker as on Apache Kafka.

import { beforeAll, expect, test } from 'vitest'

/** Registers the tests; `tell` runs the program to its end and gives what it printed. */
export function newestClientLaws(tell: () => Promise<string>): void {
  let told: ReadonlyMap<string, unknown>
  beforeAll(async () => {
    told = linesOf(await tell())
  })

  test.each(Object.entries(EXPECTED))('%s', (step, expected) => {
    expect(told.get(step)).toEqual({ step, ...expected })
  })
}

/** The same for the transactions of aiokafka. */
export function aiokafkaTransactionLaws(tell: () => Promise<string>): void {
  test('what is committed is read, what is aborted is not, and a zombie is fenced', async () => {
    expect(linesOf(await tell()).get('transactions')).toEqual({
      step: 'transactions', fenced: 'ProducerFenced', offset: 4,
      read_committed: ['0', '1', '3', '4', 'heir'], read_uncommitted: ['0', '1', '2', '3', '4', '5', 'zombie', 'heir'],
    })
  })
}

const EXPECTED: Readonly<Record<string, object>> = {
  create: { partitions: 4, leaders: [true] },
  consumerGroup: { shares: [2, 2], commits: [[null, 2], [null, 2]], type: 'CONSUMER', state: 'STABLE', members: 2, listed: true, targets: [2, 2] },
  staticMember: { same: true, refused: '_FATAL' },
  pattern: { shares: [4] },
  offsets: { before: [10, 10], after: [3, 10], found: { earliest: 0, latest: 10, maxTimestamp: 9, time: 4 }, deleted: [null, 'GROUP_ID_NOT_FOUND'] },
  configs: { changed: [null, null, 'INVALID_CONFIG', 'INVALID_CONFIG', null], topic: ['1000000', 'delete,compact'], group: '50000' },
  users: { made: null, iterations: 8192, nobody: 'RESOURCE_NOT_FOUND', gone: [null, 'RESOURCE_NOT_FOUND'] },
  cluster: { nodes: 1, operations: 7, elected: ['ELECTION_NOT_NEEDED'] },
}

function linesOf(output: string): ReadonlyMap<string, unknown> {
  const lines = output.split('\n').filter(text => text.startsWith('{"')).map(text => JSON.parse(text) as { readonly step: string })
  return new Map(lines.map(each => [each.step, each]))
}
