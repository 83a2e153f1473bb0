// Our settings are Apache Kafka's: their types, their defaults, and whether they can be changed while a broker runs; but for what stands here.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import { brokerConfigs } from '../../broker/kernel/broker-config.ts'
import { configTypeCodes, type ConfigDefinition } from '../../broker/kernel/config-definition.ts'
import { topicConfigs } from '../../broker/kernel/topic-config.ts'
import { kafkaSettingPattern, kafkaSettings } from '../../broker/kernel/kafka-settings.ts'
import type { ResponseOf } from '../../broker/wire/apis.ts'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'

type KafkaConfig = ResponseOf<'DescribeConfigs'>['results'][number]['configs'][number]

let kafka: ApacheKafka
let ofBroker: ReadonlyMap<string, KafkaConfig>
let ofTopic: ReadonlyMap<string, KafkaConfig>
beforeAll(async () => {
  kafka = await startApacheKafka()
  const channel = await connectTcpChannel({ host: kafka.host, port: kafka.port, clock: systemClock, clientId: 'settings' })
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] })
  const resources = [{ resourceType: 4, resourceName: '1', configurationKeys: null }, { resourceType: 2, resourceName: 't', configurationKeys: null }]
  const { results } = await channel.request('DescribeConfigs', { resources, includeSynonyms: true })
  ofBroker = byName(results[0]!.configs)
  ofTopic = byName(results[1]!.configs)
  channel.close()
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

function byName(configs: readonly KafkaConfig[]): ReadonlyMap<string, KafkaConfig> {
  return new Map(configs.map(config => [config.name, config]))
}

const names = (configs: ReadonlyMap<string, ConfigDefinition>): readonly string[] => [...configs.keys()].filter(name => !name.startsWith('millrace.'))

/** Ours cannot be changed while the broker runs, Kafka's can. */
const onlyAtStart = /^(listeners|listener\.security\.protocol\.map|max\.connections|max\.connections\.per\.ip(\.overrides)?|sasl\.enabled\.mechanisms|ssl\..*)$/
/** Not of Kafka's broker, or only of one with an authorizer or a listener of that kind. */
const onlyOurs = /^(plain\.sasl\.jaas\.config|super\.users|allow\.everyone\.if\.no\.acl\.found)$/

describe('settings of a broker', () => {
  test("are ours, or known as Apache Kafka's, so that a file of its settings is taken", () => {
    expect([...ofBroker.keys()].filter(name => !brokerConfigs.has(name) && !kafkaSettings.has(name) && !kafkaSettingPattern.test(name))).toEqual([])
  })

  test.each(names(brokerConfigs).filter(name => !onlyOurs.test(name)))('%s', name => {
    const [ours, theirs] = [brokerConfigs.get(name)!, ofBroker.get(name)]
    expect(theirs, 'Apache Kafka has it').toBeDefined()
    expect(configTypeCodes[ours.type], 'type').toBe(theirs!.configType)
    if (!onlyAtStart.test(name)) expect(ours.readOnly ?? false, 'whether it stays').toBe(theirs!.readOnly)
    const fallback = theirs!.synonyms.find(synonym => synonym.name === name && synonym.source === 5)?.value ?? null
    // A default that is another says so.
    if (ours.default !== fallback && name !== 'node.id' && name !== 'broker.id') expect(ours.documentation).toContain(`Kafka: ${fallback}.`)
  })
})

describe('settings of a topic', () => {
  test('are all that Apache Kafka has', () => {
    expect(names(topicConfigs)).toEqual([...ofTopic.keys()].sort())
  })

  test.each(names(topicConfigs))('%s', name => {
    const [ours, theirs] = [topicConfigs.get(name)!, ofTopic.get(name)!]
    expect(configTypeCodes[ours.type], 'type').toBe(theirs.configType)
    // What stands for it may be in hours.
    if (name !== 'retention.ms' && name !== 'segment.ms') expect(theirs.value).toBe(ours.default)
  })
})
