// DescribeConfigs, AlterConfigs, IncrementalAlterConfigs: the settings of topics and of the broker.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { brokerConfigRefusal, brokerConfigs, type ConfigSynonym } from '../../kernel/broker-config.ts'
import { configTypeCodes, listOf, type ConfigDefinition } from '../../kernel/config-definition.ts'
import { topicConfigs, type ConfigOverrides, type Refusal } from '../../kernel/topic-config.ts'
import { topicNameProblem } from '../../kernel/catalogue.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import type { Handler } from './handler.ts'

type Described = ResponseInput<'DescribeConfigs'>['results'][number]
type DescribedConfig = Described['configs'][number]
type AskedResource = RequestOf<'DescribeConfigs'>['resources'][number]
type Change = RequestOf<'IncrementalAlterConfigs'>['resources'][number]['configs'][number]

const resource = { topic: 2, broker: 4, brokerLogger: 8 } as const
const operation = { set: 0, delete: 1, append: 2, subtract: 3 } as const

// ─── describe ───

export const describeConfigs: Handler<'DescribeConfigs'> = ({ broker }, request) => ({
  results: request.resources.map((asked): Described => {
    const { resourceType, resourceName, configurationKeys } = asked
    const known = definitionsOf(broker, asked)
    if ('error' in known) return { errorCode: errorCodeOf(known.error), errorMessage: known.message, resourceType, resourceName, configs: [] }
    const wanted = [...known.definitions.values()].filter(({ name }) => configurationKeys === null || configurationKeys.includes(name))
    const configs = wanted.map(definition => described(definition, known.layersOf(definition.name), request.includeSynonyms, request.includeDocumentation))
    return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs }
  }),
})

interface KnownResource {
  readonly definitions: ReadonlyMap<string, ConfigDefinition>
  readonly layersOf: (name: string) => readonly ConfigSynonym[]
}

function definitionsOf(broker: BrokerState, { resourceType, resourceName }: AskedResource): KnownResource | Refusal {
  if (resourceType === resource.topic) {
    const topic = broker.catalogue.topics.get(resourceName)
    if (topic === undefined) return unknownTopic(resourceName)
    return { definitions: topicConfigs, layersOf: name => broker.config.topicLayersOf(name, topic.configs) }
  }
  if (resourceType === resource.broker) return brokerRefusal(broker, resourceName) ?? { definitions: brokerConfigs, layersOf: name => broker.config.layersOf(name) }
  if (resourceType === resource.brokerLogger) return { definitions: new Map(), layersOf: () => [] }
  return { error: 'INVALID_REQUEST', message: `Unsupported resource type: ${resourceType}.` }
}

function described(definition: ConfigDefinition, layers: readonly ConfigSynonym[], withSynonyms: boolean, withDocumentation: boolean): DescribedConfig {
  const first = layers[0]
  return {
    name: definition.name,
    value: first?.value ?? definition.default,
    readOnly: definition.readOnly ?? false,
    configSource: first?.source ?? 5,
    isSensitive: false,
    synonyms: withSynonyms ? layers.map(({ name, value, source }) => ({ name, value, source })) : [],
    configType: configTypeCodes[definition.type],
    documentation: withDocumentation ? definition.documentation : null,
  }
}

// ─── alter ───

export const alterConfigs: Handler<'AlterConfigs'> = async ({ broker }, request) => {
  const responses = request.resources.map(async ({ resourceType, resourceName, configs }) => {
    const all: Record<string, string> = {}
    let refused: Refusal | null = null
    for (const { name, value } of configs) {
      if (value === null) refused ??= { error: 'INVALID_REQUEST', message: `Null value not supported for ${name}.` }
      else all[name] = value
    }
    refused ??= await replaceConfigs(broker, resourceType, resourceName, all, request.validateOnly)
    return { ...outcome(refused), resourceType, resourceName }
  })
  return { responses: await Promise.all(responses) }
}

export const incrementalAlterConfigs: Handler<'IncrementalAlterConfigs'> = async ({ broker }, request) => {
  const seen = new Set<string>()
  const responses = request.resources.map(async ({ resourceType, resourceName, configs }) => {
    const key = `${resourceType}/${resourceName}`
    const isRepeated = seen.has(key)
    seen.add(key)
    const altered = isRepeated ? invalid('Each resource must appear at most once.') : changed(broker, resourceType, resourceName, configs)
    const refused = isRefusal(altered) ? altered : await replaceConfigs(broker, resourceType, resourceName, altered.configs, request.validateOnly)
    return { ...outcome(refused), resourceType, resourceName }
  })
  return { responses: await Promise.all(responses) }
}

/** What a resource's own settings are after the changes. */
function changed(broker: BrokerState, type: number, name: string, changes: readonly Change[]): { readonly configs: ConfigOverrides } | Refusal {
  const known = definitionsOf(broker, { resourceType: type, resourceName: name, configurationKeys: null })
  if ('error' in known) return known
  const configs: Record<string, string> = { ...(type === resource.topic ? broker.catalogue.topics.get(name)!.configs : broker.config.dynamic) }
  for (const change of changes) {
    const definition = known.definitions.get(change.name)
    if (change.configOperation === operation.delete) {
      if (definition === undefined) configs[change.name] = ''
      else delete configs[change.name]
      continue
    }
    if (change.value === null) return invalid(`Null value not supported for ${change.name}.`)
    if (change.configOperation === operation.set) configs[change.name] = change.value
    else if (definition?.type !== 'list') return { error: 'INVALID_CONFIG', message: `Config value append is not allowed for config key: ${change.name}.` }
    else configs[change.name] = changedList(known.layersOf(change.name)[0]?.value ?? '', change)
  }
  return { configs }
}

function changedList(current: string, { configOperation, value }: Change): string {
  const old = listOf(current)
  const delta = listOf(value ?? '')
  const next = configOperation === operation.append ? [...old, ...delta.filter(element => !old.includes(element))] : old.filter(element => !delta.includes(element))
  return next.join(',')
}

async function replaceConfigs(broker: BrokerState, type: number, name: string, configs: ConfigOverrides, validateOnly: boolean): Promise<Refusal | null> {
  if (type === resource.topic) return broker.catalogue.topics.has(name) ? broker.alterTopicConfigs(name, configs, validateOnly) : unknownTopic(name)
  if (type !== resource.broker) return invalid(`Unsupported resource type: ${type}.`)
  const refused = brokerRefusal(broker, name) ?? brokerConfigRefusal(configs, false)
  if (refused === null && !validateOnly) await broker.alterBrokerConfigs(configs)
  return refused
}

/** There is one broker: settings of all brokers ('') and its own are the same. */
function brokerRefusal(broker: BrokerState, name: string): Refusal | null {
  return name === '' || name === String(broker.nodeId) ? null : invalid(`Unexpected broker id, expected ${broker.nodeId} or empty string, but received ${name}.`)
}

function unknownTopic(name: string): Refusal {
  const problem = topicNameProblem(name)
  return problem === null ? { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `The topic '${name}' does not exist.` } : { error: 'INVALID_TOPIC_EXCEPTION', message: problem }
}

function invalid(message: string): Refusal {
  return { error: 'INVALID_REQUEST' satisfies ErrorName, message }
}

function isRefusal(answer: { readonly configs: ConfigOverrides } | Refusal): answer is Refusal {
  return 'error' in answer
}

function outcome(refused: Refusal | null): { readonly errorCode: number; readonly errorMessage: string | null } {
  return { errorCode: refused === null ? 0 : errorCodeOf(refused.error), errorMessage: refused?.message ?? null }
}
