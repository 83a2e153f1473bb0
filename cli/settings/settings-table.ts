// All settings of a broker, for people as a table and for programs as NDJSON.

import { brokerConfigs } from '../../broker/kernel/broker-config.ts'
import type { ConfigDefinition } from '../../broker/kernel/config-definition.ts'
import { textTable } from '../terminal/text-table.ts'

export function settingsTable(): string[] {
  const columns = [{ title: 'setting' }, { title: 'type' }, { title: 'default' }, { title: 'changes' }, { title: 'means' }]
  return textTable(columns, sorted().map(definition => [definition.name, definition.type, defaultText(definition), changesText(definition), meaning(definition)]))
}

export function settingsLines(): string[] {
  return sorted().map(definition => {
    const { name, type, default: fallback, readOnly = false, reloadable = false, min, max, oneOf, documentation } = definition
    return JSON.stringify({ name, type, default: fallback, changesWhileRunning: !readOnly, ...(reloadable ? { changesOfListenerWhileRunning: true } : {}), min, max, oneOf, documentation })
  })
}

function sorted(): readonly ConfigDefinition[] {
  return [...brokerConfigs.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The values that it may have stand behind what it means: some are long. */
function meaning({ documentation, oneOf }: ConfigDefinition): string {
  return oneOf === undefined ? documentation : `${documentation} (${oneOf.map(value => (value === '' ? "''" : value)).join(', ')})`
}

function defaultText({ default: fallback }: ConfigDefinition): string {
  if (fallback === null) return '-'
  return fallback === '' ? "''" : fallback
}

function changesText({ readOnly, reloadable }: ConfigDefinition): string {
  if (reloadable === true) return 'of a listener'
  return readOnly === true ? 'at start' : 'any time'
}
