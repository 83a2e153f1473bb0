// The settings of a group, where they differ from the broker's: how often members of a consumer group (KIP-848) show that they live.

import { configProblem, configSource, type ConfigDefinition } from './config-definition.ts'
import type { BrokerConfig, ConfigSynonym } from './broker-config.ts'
import type { ConfigOverrides, Refusal } from './topic-config.ts'

/** Bounds are the defaults of Kafka's `group.consumer.min.…` and `group.consumer.max.…`. */
export const groupConfigs: ReadonlyMap<string, ConfigDefinition> = new Map(
  (
    [
      { name: 'consumer.heartbeat.interval.ms', type: 'int', default: '5000', min: 5000, max: 15000, synonyms: [{ name: 'group.consumer.heartbeat.interval.ms' }], documentation: 'How often members of the consumer group (KIP-848) are to be heard of, milliseconds.' },
      { name: 'consumer.session.timeout.ms', type: 'int', default: '45000', min: 45000, max: 60000, synonyms: [{ name: 'group.consumer.session.timeout.ms' }], documentation: 'After how long a silent member of the consumer group (KIP-848) is given up, milliseconds.' },
    ] satisfies ConfigDefinition[]
  ).map(definition => [definition.name, definition]),
)

/** All that say something, the strongest first: the group itself, then the broker's setting for all groups. */
export function groupLayersOf(name: string, own: ConfigOverrides, broker: BrokerConfig): readonly ConfigSynonym[] {
  const value = own[name]
  const layers = broker.layersOf(groupConfigs.get(name)!.synonyms![0]!.name)
  return value === undefined ? layers : [{ name, value, source: configSource.group }, ...layers]
}

/** What is wrong with a group's own settings; null if nothing. */
export function groupConfigRefusal(own: ConfigOverrides): Refusal | null {
  for (const [name, value] of Object.entries(own)) {
    const definition = groupConfigs.get(name)
    const problem = definition === undefined ? `Unknown group config name: ${name}.` : configProblem(definition, value)
    if (problem !== null) return { error: 'INVALID_CONFIG', message: problem }
  }
  return null
}
