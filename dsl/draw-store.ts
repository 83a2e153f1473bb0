// Draws stores: a table's, a window's, and those that processors bring.

import { toMs, type Duration } from '../core/duration.ts'
import type { Serde } from '../core/serde.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import type { TimeWindows } from '../core/window.ts'
import { naming, type Blueprint, type Plan, type SerdeSlot, type StoreDraft } from './blueprint.ts'
import { checkName, topologyError, type Call } from './call.ts'

/** Store options with the types taken off. */
export interface StoreSettings {
  readonly name?: string | undefined
  readonly key?: Serde<unknown> | undefined
  readonly value?: Serde<unknown> | undefined
  readonly medium?: 'level' | 'memory' | undefined
  readonly logged?: boolean | undefined
  readonly cached?: boolean | undefined
  readonly retention?: Duration | undefined
  readonly topicConfig?: Readonly<Record<string, string>> | undefined
}

export type StoreChoice = string | StoreSettings

export function storeSettings(choice: StoreChoice | undefined): StoreSettings {
  return typeof choice === 'string' ? { name: choice } : choice ?? {}
}

/** Where a store is drawn, and what the operator that it belongs to knows for it. */
export interface StorePlace {
  readonly blueprint: Blueprint
  readonly call: Call
  readonly path: string
  readonly key: SerdeSlot
  readonly value: SerdeSlot
}

/** The store of a table with plain keys; made if somebody needs it, or named it. */
export function tableStore(place: StorePlace, settings: StoreSettings): StoreDraft {
  return storeDraft(place, settings, (name, plan) => ({ kind: 'key-value', timestamped: true, ...described(place, settings, name, plan) }))
}

/** `place.key` is the inner key's serde. */
export function windowStore(place: StorePlace, settings: StoreSettings, windows: TimeWindows): StoreDraft {
  const least = windows.sizeMs + windows.graceMs
  const retentionMs = settings.retention === undefined ? least : toMs(settings.retention, 'store retention')
  if (retentionMs < least) {
    throw topologyError(place.call, `the store keeps windows for ${retentionMs} ms, but they take records for ${least} ms (size plus grace).`, 'Set the retention to at least that.')
  }
  return storeDraft(place, settings, (name, plan) => ({ kind: 'window', sizeMs: windows.sizeMs, retentionMs, ...described(place, settings, name, plan) }))
}

/** A store as a processor brings it; the same description may come twice. */
export function describedStore(blueprint: Blueprint, call: Call, description: StoreDescription): void {
  checkName(description.name, 'store name', call)
  if (blueprint.stores.some(store => store.description === description)) return
  blueprint.stores.push({ naming: { kind: 'given', name: description.name }, call, used: true, description, describe: () => description })
}

function storeDraft({ blueprint, call, path }: StorePlace, settings: StoreSettings, describe: StoreDraft['describe']): StoreDraft {
  if (settings.name !== undefined) checkName(settings.name, 'store name', call)
  const draft: StoreDraft = { naming: naming(settings.name ?? null, path), call, used: settings.name !== undefined, description: null, describe }
  blueprint.stores.push(draft)
  return draft
}

function described({ blueprint, call, key, value }: StorePlace, settings: StoreSettings, name: string, plan: Plan): Omit<Extract<StoreDescription, { kind: 'window' }>, 'kind' | 'sizeMs' | 'retentionMs'> {
  return {
    name,
    key: plan.key(settings.key ?? key),
    value: plan.value(settings.value ?? value, call, `store ${name}`),
    medium: settings.medium ?? blueprint.medium,
    logged: settings.logged ?? true,
    cached: settings.cached ?? true,
    topicConfig: settings.topicConfig ?? {},
  }
}
