// Settings of topics and brokers: shown and changed.

import { adminError } from './admin-error.ts'
import type { Cluster } from './cluster.ts'

/** Whose settings: a topic's, a broker's by its number, those of all brokers, or a group's. */
export type ConfigResource =
  | { readonly topic: string; readonly broker?: undefined; readonly group?: undefined }
  | { readonly broker: number | 'all'; readonly topic?: undefined; readonly group?: undefined }
  | { readonly group: string; readonly topic?: undefined; readonly broker?: undefined }

export interface ConfigEntry {
  readonly name: string
  /** Null where it is secret or has none. */
  readonly value: string | null
  /** Where the value comes from. */
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  /** Empty where the broker does not say. */
  readonly documentation: string
}

export type ConfigSource = 'topic' | 'group' | 'dynamic broker' | 'dynamic default' | 'static broker' | 'default' | 'unknown'

export interface ConfigChange {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  /** Not for `delete`. */
  readonly value?: string
}

export interface ConfigAdmin {
  /** Every setting of a resource, by name. */
  describeConfigs(resource: ConfigResource): Promise<readonly ConfigEntry[]>
  /** Changes the settings named and leaves all others. `validateOnly` says whether it could be done. @throws MillraceError INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION */
  alterConfigs(resource: ConfigResource, changes: readonly ConfigChange[], validateOnly?: boolean): Promise<void>
}

const resourceTypes = { topic: 2, broker: 4, group: 32 } as const
const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const
const sources: Readonly<Record<number, ConfigSource>> = { 1: 'topic', 2: 'dynamic broker', 3: 'dynamic default', 4: 'static broker', 5: 'default', 8: 'group' }

export function createConfigAdmin(cluster: Cluster): ConfigAdmin {
  return {
    describeConfigs: resource => describeConfigs(cluster, resource),
    alterConfigs: (resource, changes, validateOnly = false) => alterConfigs(cluster, resource, changes, validateOnly),
  }
}

async function describeConfigs(cluster: Cluster, resource: ConfigResource): Promise<readonly ConfigEntry[]> {
  const named = wireResource(resource)
  return cluster.retrying(async () => {
    const channel = await cluster.channelTo(nodeOf(resource))
    const version = channel.versionOf('DescribeConfigs')
    const answer = await channel.request('DescribeConfigs', { resources: [{ ...named, configurationKeys: null }], ...(version >= 3 ? { includeDocumentation: true } : {}) }, { version })
    const result = answer.results[0]
    if (result === undefined || result.errorCode !== 0) throw adminError(result?.errorCode ?? -1, `settings of ${nameOf(resource)}`, result?.errorMessage)
    const entries = result.configs.map(({ name, value, configSource, readOnly, isSensitive, documentation }) => ({
      name, value, source: sources[configSource] ?? 'unknown', isReadOnly: readOnly, isSensitive, documentation: documentation ?? '',
    }))
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  })
}

async function alterConfigs(cluster: Cluster, resource: ConfigResource, changes: readonly ConfigChange[], validateOnly: boolean): Promise<void> {
  const configs = changes.map(({ name, operation, value = null }) => ({ name, configOperation: operations[operation], value }))
  await cluster.retrying(async () => {
    const answer = await (await cluster.channelTo(nodeOf(resource))).request('IncrementalAlterConfigs', { resources: [{ ...wireResource(resource), configs }], validateOnly })
    for (const { errorCode, errorMessage } of answer.responses) if (errorCode !== 0) throw adminError(errorCode, `changing settings of ${nameOf(resource)}`, errorMessage)
  })
}

function wireResource({ topic, broker, group }: ConfigResource): { resourceType: number; resourceName: string } {
  if (topic !== undefined) return { resourceType: resourceTypes.topic, resourceName: topic }
  if (group !== undefined) return { resourceType: resourceTypes.group, resourceName: group }
  return { resourceType: resourceTypes.broker, resourceName: broker === 'all' ? '' : String(broker) }
}

/** A broker knows its own settings only; anyone knows the others. */
function nodeOf({ broker }: ConfigResource): number | undefined {
  return broker === 'all' ? undefined : broker
}

function nameOf({ topic, broker, group }: ConfigResource): string {
  if (topic !== undefined) return `topic ${topic}`
  if (group !== undefined) return `group ${group}`
  return broker === 'all' ? 'all brokers' : `broker ${broker}`
}
