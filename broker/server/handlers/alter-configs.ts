// AlterConfigs, IncrementalAlterConfigs: settings changed while the broker runs, one resource at a time, whole or not at all.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { brokerConfigRefusal, brokerConfigs } from '../../kernel/broker-config.ts'
import { listOf, type ConfigDefinition } from '../../kernel/config-definition.ts'
import { groupConfigRefusal, groupConfigs } from '../../kernel/group-config.ts'
import { topicConfigRefusal, topicConfigs, type ConfigOverrides, type Refusal } from '../../kernel/topic-config.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { brokerNameRefusal, invalid, isResourceType, resourceType, topicNameRefusal, unknownTopic } from './config-resources.ts'
import type { Handler } from './handler.ts'

type Change = RequestOf<'IncrementalAlterConfigs'>['resources'][number]['configs'][number]
type Outcome = ResponseInput<'AlterConfigs'>['responses'][number]

const operation = { set: 0, delete: 1, append: 2, subtract: 3 } as const

/** What is not named is forgotten. */
export const alterConfigs: Handler<'AlterConfigs'> = async ({ broker }, { resources, validateOnly }) => {
  const once = namedOnce(resources)
  const responses = resources.map(async asked => {
    const { resourceType: type, resourceName: name, configs } = asked
    const refused = requestRefusal(once, asked, configs.filter(({ value }) => value === null)) ?? (type === resourceType.brokerLogger ? unknownType(type) : null)
    return outcome(asked, refused ?? (await alter(broker, { type, name, validateOnly }, () => ({ configs: Object.fromEntries(configs.map(({ name: config, value }) => [config, value!])) }))))
  })
  return { responses: await Promise.all(responses) }
}

export const incrementalAlterConfigs: Handler<'IncrementalAlterConfigs'> = async ({ broker }, { resources, validateOnly }) => {
  const once = namedOnce(resources)
  const refusals = resources.map(asked => requestRefusal(once, asked, asked.configs.filter(({ configOperation, value }) => configOperation !== operation.delete && value === null)))
  const odd = oddOperation(resources.filter((_, index) => refusals[index] === null).filter(({ resourceType: type }) => isKeptTogether(type)).flatMap(({ configs }) => configs))
  const responses = resources.map(async (asked, index) => {
    const { resourceType: type, resourceName: name, configs } = asked
    const refused = refusals[index] ?? (isKeptTogether(type) ? odd : type === resourceType.brokerLogger ? (brokerNameRefusal(broker.nodeId, name) ?? levelProblem(configs)) : null)
    return outcome(asked, refused ?? (await alter(broker, { type, name, validateOnly }, target => changed(target, configs))))
  })
  return { responses: await Promise.all(responses) }
}

// ─── the request ───

interface AskedResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly { readonly name: string }[]
}

/** Resources that no other of the request is. */
function namedOnce(all: readonly AskedResource[]): ReadonlySet<AskedResource> {
  const byName = new Map<string, AskedResource | null>()
  for (const asked of all) {
    const key = `${asked.resourceType}/${asked.resourceName}`
    byName.set(key, byName.has(key) ? null : asked)
  }
  return new Set([...byName.values()].filter(asked => asked !== null))
}

function requestRefusal(once: ReadonlySet<AskedResource>, asked: AskedResource, withoutValue: readonly { readonly name: string }[]): Refusal | null {
  if (!once.has(asked)) return invalid('Each resource must appear at most once.')
  if (new Set(asked.configs.map(({ name }) => name)).size < asked.configs.length) return invalid('Error due to duplicate config keys.')
  return withoutValue.length === 0 ? null : invalid(`Null value not supported for: ${withoutValue.map(({ name }) => name).join(', ')}.`)
}

function unknownType(type: number): Refusal {
  return invalid(`Unknown resource type ${type}.`)
}

/** Where an operation on one of these is none, none of them is altered. */
function isKeptTogether(type: number): boolean {
  return isResourceType(type) && type !== resourceType.broker && type !== resourceType.brokerLogger
}

function oddOperation(changes: readonly Change[]): Refusal | null {
  const odd = changes.find(({ configOperation }) => configOperation < operation.set || configOperation > operation.subtract)
  return odd === undefined ? null : invalid(`Unknown operation type ${odd.configOperation}.`)
}

/** There are no loggers with levels, nor are levels lists. */
function levelProblem([change]: readonly Change[]): Refusal | null {
  if (change === undefined) return null
  const isLevel = change.configOperation === operation.set || change.configOperation === operation.delete
  return isLevel ? { error: 'INVALID_CONFIG', message: `Logger ${change.name} does not exist.` } : invalid(`Operation type ${change.configOperation} is not allowed for loggers.`)
}

function outcome({ resourceType: type, resourceName }: AskedResource, refused: Refusal | null): Outcome {
  return { errorCode: refused === null ? 0 : errorCodeOf(refused.error), errorMessage: refused?.message ?? null, resourceType: type, resourceName }
}

// ─── the resource ───

/** What is altered: what is set on it now, what can be, and what becomes of the new settings. */
interface Target {
  readonly own: ConfigOverrides
  readonly definitions: ReadonlyMap<string, ConfigDefinition>
  readonly refusal: (configs: ConfigOverrides) => Refusal | null
  readonly replace: (configs: ConfigOverrides) => Promise<Refusal | null>
}

/** All that will be set on it. */
interface NewSettings {
  readonly configs: ConfigOverrides
}

interface Alteration {
  readonly type: number
  readonly name: string
  readonly validateOnly: boolean
}

async function alter(broker: BrokerState, { type, name, validateOnly }: Alteration, settings: (target: Target) => NewSettings | Refusal): Promise<Refusal | null> {
  const target = targetOf(broker, type, name)
  if ('error' in target) return target
  const wanted = settings(target)
  if ('error' in wanted) return wanted
  const refused = target.refusal(wanted.configs)
  if (refused !== null || validateOnly) return refused
  return target.replace(wanted.configs)
}

function targetOf(broker: BrokerState, type: number, name: string): Target | Refusal {
  if (type === resourceType.topic) return topicTarget(broker, name)
  if (type === resourceType.broker) return name === '' ? brokerTarget(broker, null) : (brokerNameRefusal(broker.nodeId, name) ?? brokerTarget(broker, broker.nodeId))
  if (type === resourceType.brokerLogger) return brokerNameRefusal(broker.nodeId, name) ?? loggerTarget
  if (type === resourceType.group) return groupTarget(broker, name)
  return isResourceType(type) ? invalid('This broker collects no metrics of clients.') : unknownType(type)
}

function topicTarget(broker: BrokerState, name: string): Target {
  const topic = broker.catalogue.topics.get(name)
  return {
    own: topic?.configs ?? {},
    definitions: topicConfigs,
    refusal: configs => (name === '' ? invalid('Default topic resources are not allowed.') : topicNameRefusal(name)) ?? topicConfigRefusal(configs) ?? (topic === undefined ? unknownTopic(name) : null),
    replace: configs => broker.alterTopicConfigs(name, configs, false),
  }
}

function brokerTarget(broker: BrokerState, node: number | null): Target {
  return {
    own: broker.catalogue.brokerConfigs(node),
    definitions: brokerConfigs,
    refusal: configs => brokerConfigRefusal(configs, false, node === null) ?? (node === null ? null : broker.keyStoreRefusal(configs)),
    replace: configs => broker.alterBrokerConfigs(node, configs),
  }
}

function groupTarget(broker: BrokerState, name: string): Target {
  return {
    own: broker.catalogue.groupConfigs(name),
    definitions: groupConfigs,
    refusal: configs => (name === '' ? invalid('Default group resources are not allowed.') : groupConfigRefusal(configs, broker.config)),
    replace: configs => broker.alterGroupConfigs(name, configs),
  }
}

const loggerTarget: Target = {
  own: {},
  definitions: new Map(),
  refusal: configs => Object.keys(configs).map((name): Refusal => ({ error: 'INVALID_CONFIG', message: `Logger ${name} does not exist.` }))[0] ?? null,
  replace: () => Promise.resolve(null),
}

// ─── the changes ───

/** What is set on a resource after the changes. Lists that are not set begin with Kafka's default, whatever the broker's is. */
function changed({ own, definitions }: Target, changes: readonly Change[]): NewSettings | Refusal {
  const odd = oddOperation(changes)
  if (odd !== null) return odd
  const configs: Record<string, string> = { ...own }
  for (const { name, configOperation, value } of changes) {
    const definition = definitions.get(name)
    if (configOperation === operation.delete) delete configs[name]
    else if (configOperation === operation.set) configs[name] = value!
    else if (definition?.type !== 'list') return { error: 'INVALID_CONFIG', message: `Elements cannot be added to or taken from ${name}: its type is not LIST.` }
    else configs[name] = changedList(configs[name] ?? definition.default ?? '', configOperation, value!)
  }
  return { configs }
}

function changedList(current: string, configOperation: number, value: string): string {
  const old = listOf(current)
  const delta = value.split(',').map(element => element.trim())
  const next = configOperation === operation.append ? [...old, ...delta.filter(element => !old.includes(element))] : old.filter(element => !delta.includes(element))
  return next.join(',')
}
