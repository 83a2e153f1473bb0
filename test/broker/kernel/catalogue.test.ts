// The topic catalogue: what is refused and why, and that replaying its records gives the same catalogue.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Catalogue, type MetadataRecord, type NewTopicRequest } from '../../../broker/kernel/catalogue.ts'
import { nearestName } from '../../../core/nearest-name.ts'

const request = (name: string, more: Partial<NewTopicRequest> = {}): NewTopicRequest => ({ name, partitions: -1, replicationFactor: -1, configs: {}, ...more })
const defaults = { partitions: 3, replicationFactor: 1 }

test.each([
  ['no name', request(''), 'INVALID_TOPIC_EXCEPTION'],
  ['dots alone', request('..'), 'INVALID_TOPIC_EXCEPTION'],
  ['a slash', request('a/b'), 'INVALID_TOPIC_EXCEPTION'],
  ['a name that is too long', request('x'.repeat(250)), 'INVALID_TOPIC_EXCEPTION'],
  ['a name that is taken', request('taken.name'), 'TOPIC_ALREADY_EXISTS'],
  ['a name that differs from one that is taken in a dot', request('taken_name'), 'INVALID_TOPIC_EXCEPTION'],
  ['no partitions', request('a', { partitions: 0 }), 'INVALID_PARTITIONS'],
  ['too many partitions', request('a', { partitions: 10_001 }), 'INVALID_PARTITIONS'],
  ['more replicas than brokers', request('a', { replicationFactor: 3 }), 'INVALID_REPLICATION_FACTOR'],
  ['no replicas', request('a', { replicationFactor: 0 }), 'INVALID_REPLICATION_FACTOR'],
  ['an unknown setting', request('a', { configs: { 'segment.byte': '1' } }), 'INVALID_CONFIG'],
  ['an impossible setting', request('a', { configs: { 'segment.bytes': '-1' } }), 'INVALID_CONFIG'],
  ['a setting without a value', request('a', { configs: { 'segment.bytes': null } }), 'INVALID_CONFIG'],
] as const)('a topic with %s is refused', (_, asked, error) => {
  const catalogue = new Catalogue()
  const first = catalogue.createTopic(request('taken.name'), 'id', defaults)
  if (first.refused === null) first.records.forEach(record => catalogue.replay(record))
  expect(catalogue.createTopic(asked, 'other', defaults).refused?.error).toBe(error)
})

type Change = { readonly create: string } | { readonly remove: string } | { readonly grow: string; readonly to: number } | { readonly alter: string; readonly to: string } | 'producer ids' | 'start'

const name = fc.constantFrom('a', 'b', 'c', 'd.e', 'd_e')
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ create: name }),
  fc.record({ remove: name }),
  fc.record({ grow: name, to: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ alter: name, to: fc.constantFrom('1', '2') }),
  fc.constantFrom('producer ids' as const, 'start' as const),
)

test('the records tell all, the last of each key is enough, and producer ids are given once', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 50, size: 'max' }), changes => {
      const catalogue = new Catalogue()
      const log: MetadataRecord[] = []
      const ids = new Set<number>()
      const write = (records: readonly MetadataRecord[]): void => {
        for (const record of records) {
          log.push(record)
          catalogue.replay(record)
        }
      }
      changes.forEach((change, index) => {
        if (change === 'start') return write(catalogue.start('cluster'))
        if (change === 'producer ids') {
          const { first, record } = catalogue.allocateProducerIds()
          expect(ids.has(first)).toBe(false)
          ids.add(first)
          return write([record])
        }
        const decision = 'create' in change ? catalogue.createTopic(request(change.create), `id-${index}`, defaults)
          : 'remove' in change ? catalogue.deleteTopic(change.remove)
          : 'grow' in change ? catalogue.createPartitions(change.grow, change.to)
          : catalogue.alterTopicConfigs(change.alter, { 'retention.ms': change.to })
        if (decision.refused === null) write(decision.records)
      })
      for (const records of [log, [...new Map(log.map(record => [record.key, record])).values()]]) {
        const copy = new Catalogue()
        for (const record of records) copy.replay(JSON.parse(JSON.stringify(record)) as MetadataRecord)
        expect(copy.topics).toEqual(catalogue.topics)
        expect([copy.incarnation, copy.clusterId]).toEqual([catalogue.incarnation, catalogue.clusterId])
        for (const topic of catalogue.topics.values()) expect(copy.topicById(topic.id)).toEqual(topic)
      }
    }),
  )
})

test('the nearest name is found for a slip, and none for a stranger', () => {
  expect([nearestName('retention.m', ['retention.ms', 'retention.bytes']), nearestName('zzz', ['retention.ms'])]).toEqual(['retention.ms', null])
})
