// DescribeConfigs, ListConfigResources: settings, where their values come from, and what has some.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { brokerConfigs, type ConfigSynonym } from '../../kernel/broker-config.ts'
import { configSource, configTypeCodes, shownValue, type ConfigDefinition } from '../../kernel/config-definition.ts'
import { groupConfigs, groupLayersOf } from '../../kernel/group-config.ts'
import { topicConfigs, type Refusal } from '../../kernel/topic-config.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { brokerNameRefusal, invalid, isResourceType, resourceType, topicNameRefusal, unknownTopic } from './config-resources.ts'
import type { Handler } from './handler.ts'

type Described = ResponseInput<'DescribeConfigs'>['results'][number]
type DescribedConfig = Described['configs'][number]
type AskedResource = RequestOf<'DescribeConfigs'>['resources'][number]

export const describeConfigs: Handler<'DescribeConfigs'> = ({ broker, answer }, request) => {
  // A question about what nobody knows is none, whatever else it asks.
  const odd = request.resources.find(({ resourceType: type }) => !isResourceType(type))
  if (odd !== undefined) return { results: request.resources.map(asked => undescribed(asked, invalid(`Unexpected resource type ${odd.resourceType} for resource ${odd.resourceName}.`))) }
  const results = request.resources.map((asked): Described => {
    const { resourceType: type, resourceName, configurationKeys } = asked
    const known = knownResource(broker, asked)
    if ('error' in known) return undescribed(asked, known)
    const isWanted = (name: string): boolean => configurationKeys === null || configurationKeys.length === 0 || configurationKeys.includes(name)
    const wanted = known.definitions.filter(({ name }) => isWanted(name))
    answer.admit(wanted.length * (request.includeSynonyms ? 3 : 1))
    const configs = wanted.map(definition => described(definition, known.layersOf(definition.name), request.includeSynonyms, request.includeDocumentation))
    return { errorCode: 0, errorMessage: '', resourceType: type, resourceName, configs }
  })
  return { results }
}

function undescribed({ resourceType: type, resourceName }: AskedResource, { error, message }: Refusal): Described {
  return { errorCode: errorCodeOf(error), errorMessage: message, resourceType: type, resourceName, configs: [] }
}

interface KnownResource {
  readonly definitions: readonly ConfigDefinition[]
  readonly layersOf: (name: string) => readonly ConfigSynonym[]
}

/** Nobody can set the level of a logger here, and no client is asked for metrics: those have no settings. */
const withoutSettings: KnownResource = { definitions: [], layersOf: () => [] }

function knownResource(broker: BrokerState, { resourceType: type, resourceName: name }: AskedResource): KnownResource | Refusal {
  if (type === resourceType.topic) return topicResource(broker, name)
  if (type === resourceType.broker && name === '') return allBrokers(broker)
  if (type === resourceType.broker) return brokerNameRefusal(broker.nodeId, name) ?? { definitions: broker.config.definitions, layersOf: setting => broker.config.layersOf(setting) }
  if (type === resourceType.brokerLogger) return brokerNameRefusal(broker.nodeId, name) ?? withoutSettings
  if (name === '') return invalid('The name of the resource must not be empty.')
  return type === resourceType.group ? groupResource(broker, name) : withoutSettings
}

function topicResource(broker: BrokerState, name: string): KnownResource | Refusal {
  const refused = topicNameRefusal(name)
  if (refused !== null) return refused
  const topic = broker.catalogue.topics.get(name)
  return topic === undefined ? unknownTopic(name) : { definitions: [...topicConfigs.values()], layersOf: setting => broker.config.topicLayersOf(setting, topic.configs) }
}

function groupResource(broker: BrokerState, name: string): KnownResource {
  return { definitions: [...groupConfigs.values()], layersOf: setting => groupLayersOf(setting, broker.catalogue.groupConfigs(name), broker.config) }
}

/** Only what was set for all brokers while they ran. */
function allBrokers(broker: BrokerState): KnownResource {
  const names = Object.keys(broker.config.dynamic.all)
  return {
    definitions: names.flatMap(name => brokerConfigs.get(name) ?? []),
    layersOf: name => broker.config.layersOf(name).filter(({ source }) => source === configSource.dynamicDefaultBroker),
  }
}

/** Where what is shown is what was read; of brokers it is what was written. */
const ownSources: ReadonlySet<number> = new Set([configSource.topic, configSource.group])

function described(definition: ConfigDefinition, layers: readonly ConfigSynonym[], withSynonyms: boolean, withDocumentation: boolean): DescribedConfig {
  const first = layers[0]
  const isSensitive = definition.type === 'password'
  return {
    name: definition.name,
    value: isSensitive ? null : shownValue(definition, first?.value ?? definition.default),
    readOnly: definition.readOnly ?? false,
    configSource: first?.source ?? configSource.default,
    isSensitive,
    synonyms: withSynonyms ? layers.map(({ name, value, valueInItsUnit = value, source }) => ({ name, value: isSensitive ? null : ownSources.has(source) ? shownValue(definition, value) : valueInItsUnit, source })) : [],
    configType: configTypeCodes[definition.type],
    documentation: withDocumentation ? definition.documentation : null,
  }
}

/** Topics, the broker and its loggers always, groups if they have settings. Version 0 asks for client metrics only, of which there are none. */
export const listConfigResources: Handler<'ListConfigResources'> = ({ broker, version }, { resourceTypes }) => {
  if (version === 0) return { errorCode: 0, configResources: [] }
  if (!resourceTypes.every(isResourceType)) return { errorCode: errorCodeOf('UNSUPPORTED_VERSION'), configResources: [] }
  const isWanted = (type: number): boolean => resourceTypes.length === 0 || resourceTypes.includes(type)
  const names = new Map<number, Iterable<string>>([
    [resourceType.topic, broker.catalogue.topics.keys()],
    [resourceType.broker, [String(broker.nodeId)]],
    [resourceType.brokerLogger, [String(broker.nodeId)]],
    [resourceType.group, broker.catalogue.configuredGroups()],
  ])
  return { errorCode: 0, configResources: [...names].filter(([type]) => isWanted(type)).flatMap(([type, found]) => Array.from(found, resourceName => ({ resourceName, resourceType: type }))) }
}
