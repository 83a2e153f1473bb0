// The settings of a group, where they differ from the broker's: how often members of a consumer group (KIP-848) show that they live.

import { configProblem, configSource, type ConfigDefinition } from './config-definition.ts'
import { saidOfForeign, whyForeign } from './foreign-settings.ts'
import { groupBoundsProblem, type BrokerConfig, type ConfigSynonym } from './broker-config.ts'
import type { ConfigOverrides, Refusal } from './topic-config.ts'

/** Their bounds are settings of the broker: `group.consumer.min.…` and `group.consumer.max.…`. */
export const groupConfigs: ReadonlyMap<string, ConfigDefinition> = new Map(
  (
    [
      { name: 'consumer.heartbeat.interval.ms', type: 'int', default: '5000', min: 1, synonyms: [{ name: 'group.consumer.heartbeat.interval.ms' }], documentation: 'How often members of the consumer group (KIP-848) are to be heard of, milliseconds.' },
      { name: 'consumer.session.timeout.ms', type: 'int', default: '45000', min: 1, synonyms: [{ name: 'group.consumer.session.timeout.ms' }], documentation: 'After how long a silent member of the consumer group (KIP-848) is given up, milliseconds.' },
    ] satisfies ConfigDefinition[]
  ).map(definition => [definition.name, definition]),
)

/** All that say something, the strongest first: the group itself, then the broker's setting for all groups. */
export function groupLayersOf(name: string, own: ConfigOverrides, broker: BrokerConfig): readonly ConfigSynonym[] {
  const value = own[name]
  const layers = broker.layersOf(groupConfigs.get(name)!.synonyms![0]!.name)
  return value === undefined ? layers : [{ name, value, source: configSource.group }, ...layers]
}

/** What is wrong with a group's own settings, beside those that the broker has for all; null if nothing. */
export function groupConfigRefusal(own: ConfigOverrides, broker: BrokerConfig): Refusal | null {
  for (const [name, value] of Object.entries(own)) {
    const definition = groupConfigs.get(name)
    const problem = definition === undefined ? (whyForeign(name) === null ? `Unknown group config name: ${name}.` : saidOfForeign(name)) : configProblem(definition, value)
    if (problem !== null) return { error: 'INVALID_CONFIG', message: problem }
  }
  const bounds = groupBoundsProblem(name => Number(own[name.replace('group.', '')] ?? broker.number(name)))
  return bounds === null ? null : { error: 'INVALID_CONFIG', message: bounds.replace(/^group\./, '') }
}

/** A group's own value, within bounds that may have been others when it was set. */
export function groupNumber(name: string, own: ConfigOverrides, broker: BrokerConfig): number {
  const [min, max] = [broker.number(`group.${name.replace('consumer.', 'consumer.min.')}`), broker.number(`group.${name.replace('consumer.', 'consumer.max.')}`)]
  return Math.min(Math.max(Number(own[name] ?? broker.number(`group.${name}`)), min), max)
}
