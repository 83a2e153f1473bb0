// Settings of topics and brokers: shown and changed.

import { adminError } from './admin-error.ts'
import type { Cluster } from './cluster.ts'

/** Whose settings: a topic's, or a broker's by its number. */
export type ConfigResource = { readonly topic: string; readonly broker?: undefined } | { readonly broker: number; readonly topic?: undefined }

export interface ConfigEntry {
  readonly name: string
  /** Null where it is secret or has none. */
  readonly value: string | null
  /** Where the value comes from. */
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
}

export type ConfigSource = 'topic' | 'dynamic broker' | 'dynamic default' | 'static broker' | 'default' | 'unknown'

export interface ConfigChange {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  /** Not for `delete`. */
  readonly value?: string
}

export interface ConfigAdmin {
  /** Every setting of a resource, by name. */
  describeConfigs(resource: ConfigResource): Promise<readonly ConfigEntry[]>
  /** Changes the settings named and leaves all others. */
  alterConfigs(resource: ConfigResource, changes: readonly ConfigChange[]): Promise<void>
}

const resourceTypes = { topic: 2, broker: 4 } as const
const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const
const sources: Readonly<Record<number, ConfigSource>> = { 1: 'topic', 2: 'dynamic broker', 3: 'dynamic default', 4: 'static broker', 5: 'default' }

export function createConfigAdmin(cluster: Cluster): ConfigAdmin {
  return {
    describeConfigs: resource => describeConfigs(cluster, resource),
    alterConfigs: (resource, changes) => alterConfigs(cluster, resource, changes),
  }
}

async function describeConfigs(cluster: Cluster, resource: ConfigResource): Promise<readonly ConfigEntry[]> {
  const named = wireResource(resource)
  return cluster.retrying(async () => {
    const answer = await cluster.ask('DescribeConfigs', { resources: [{ ...named, configurationKeys: null }] }, atNode(resource))
    const result = answer.results[0]
    if (result === undefined || result.errorCode !== 0) throw adminError(result?.errorCode ?? -1, `settings of ${nameOf(resource)}`, result?.errorMessage)
    const entries = result.configs.map(({ name, value, configSource, readOnly, isSensitive }) => ({ name, value, source: sources[configSource] ?? 'unknown', isReadOnly: readOnly, isSensitive }))
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  })
}

async function alterConfigs(cluster: Cluster, resource: ConfigResource, changes: readonly ConfigChange[]): Promise<void> {
  const configs = changes.map(({ name, operation, value = null }) => ({ name, configOperation: operations[operation], value }))
  await cluster.retrying(async () => {
    const answer = await cluster.ask('IncrementalAlterConfigs', { resources: [{ ...wireResource(resource), configs }], validateOnly: false }, atNode(resource))
    for (const { errorCode, errorMessage } of answer.responses) if (errorCode !== 0) throw adminError(errorCode, `changing settings of ${nameOf(resource)}`, errorMessage)
  })
}

function wireResource(resource: ConfigResource): { resourceType: number; resourceName: string } {
  return resource.topic === undefined
    ? { resourceType: resourceTypes.broker, resourceName: String(resource.broker) }
    : { resourceType: resourceTypes.topic, resourceName: resource.topic }
}

function atNode(resource: ConfigResource): { node?: number } {
  return resource.broker === undefined ? {} : { node: resource.broker }
}

function nameOf(resource: ConfigResource): string {
  return resource.topic === undefined ? `broker ${resource.broker}` : `topic ${resource.topic}`
}
