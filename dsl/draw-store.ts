// Draws stores: a table's, a window's, and those that processors bring.

import { toMs, type Duration } from '../core/duration.ts'
import type { Serde } from '../core/serde.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import type { TimeWindows } from '../core/window.ts'
import { naming, type Blueprint, type Plan, type SerdeSlot, type StoreDraft } from './blueprint.ts'
import { checkName, topologyError, type Call } from './call.ts'

/** Store options with the types taken off. */
export type StoreChoice =
  | string
  | {
      readonly name?: string | undefined
      readonly key?: Serde<unknown> | undefined
      readonly value?: Serde<unknown> | undefined
      readonly medium?: 'level' | 'memory' | undefined
      readonly logged?: boolean | undefined
      readonly cached?: boolean | undefined
      readonly retention?: Duration | undefined
      readonly topicConfig?: Readonly<Record<string, string>> | undefined
    }

type StoreSettings = Exclude<StoreChoice, string>

/** The store of a table with plain keys; made if somebody needs it, or named it. */
export function tableStore(blueprint: Blueprint, call: Call, path: string, choice: StoreChoice | undefined, key: SerdeSlot, value: SerdeSlot): StoreDraft {
  const settings = storeSettings(choice)
  return storeDraft(blueprint, call, path, settings, (name, plan) => ({
    kind: 'key-value',
    timestamped: true,
    ...common(blueprint, call, name, settings, plan, settings.key ?? key, settings.value ?? value),
  }))
}

export function windowStore(blueprint: Blueprint, call: Call, path: string, choice: StoreChoice | undefined, windows: TimeWindows, key: SerdeSlot, value: SerdeSlot): StoreDraft {
  const settings = storeSettings(choice)
  const least = windows.sizeMs + windows.graceMs
  const retentionMs = settings.retention === undefined ? least : toMs(settings.retention, 'store retention')
  if (retentionMs < least) {
    throw topologyError(call, `the store keeps windows for ${retentionMs} ms, but they take records for ${least} ms (size plus grace).`, 'Set the retention to at least that.')
  }
  return storeDraft(blueprint, call, path, settings, (name, plan) => ({
    kind: 'window',
    sizeMs: windows.sizeMs,
    retentionMs,
    ...common(blueprint, call, name, settings, plan, settings.key ?? key, settings.value ?? value),
  }))
}

/** A store as a processor brings it; the same description may come twice. */
export function describedStore(blueprint: Blueprint, call: Call, description: StoreDescription): void {
  checkName(description.name, 'store name', call)
  if (blueprint.stores.some(store => store.description === description)) return
  blueprint.stores.push({ naming: { kind: 'given', name: description.name }, call, used: true, description, describe: () => description })
}

export function storeSettings(choice: StoreChoice | undefined): StoreSettings {
  return typeof choice === 'string' ? { name: choice } : choice ?? {}
}

function storeDraft(blueprint: Blueprint, call: Call, path: string, settings: StoreSettings, describe: StoreDraft['describe']): StoreDraft {
  if (settings.name !== undefined) checkName(settings.name, 'store name', call)
  const draft: StoreDraft = { naming: naming(settings.name ?? null, path), call, used: settings.name !== undefined, description: null, describe }
  blueprint.stores.push(draft)
  return draft
}

function common(blueprint: Blueprint, call: Call, name: string, settings: StoreSettings, plan: Plan, key: SerdeSlot, value: SerdeSlot): Omit<Extract<StoreDescription, { kind: 'window' }>, 'kind' | 'sizeMs' | 'retentionMs'> {
  return {
    name,
    key: plan.key(key, call, `store ${name}`),
    value: plan.value(value, call, `store ${name}`),
    medium: settings.medium ?? blueprint.medium,
    logged: settings.logged ?? true,
    cached: settings.cached ?? true,
    topicConfig: settings.topicConfig ?? {},
  }
}
