// Loads a topology script: takes the default export of its bundle, and says what is wrong when there is no topology in it.

import { existsSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError } from '../../core/error.ts'
import { isTopology, type Topology } from '../../core/topology/topology.ts'
import type { ApplicationDefinition } from '../../runtime/application-definition.ts'
import type { TopologyBuilder } from '../../runtime/application-settings.ts'
import { bundledScript } from './script-cache.ts'

export interface LoadedScript {
  /** Absolute. */
  readonly path: string
  readonly topology: Topology
  /** Its settings; of a script that exports a bare topology, nothing but that. */
  readonly definition: ApplicationDefinition
  /** What it calls itself, or its file's name. */
  readonly applicationId: string
}

/** @throws MillraceError SCRIPT, what esbuild throws for code it cannot read, and what the script itself throws */
export async function loadScript(file: string): Promise<LoadedScript> {
  const path = resolve(file)
  if (!existsSync(path)) throw new MillraceError('SCRIPT', `There is no script ${file}.`)
  const exported = (await importBundled(path))['default']
  const definition = definitionOf(exported, file)
  const { topology, serdes } = definition
  const name = basename(path, extname(path)).replaceAll(/[^a-zA-Z0-9._-]/g, '-')
  return {
    path,
    topology: isTopology(topology) ? topology : topology.build(serdes === undefined ? {} : { defaults: serdes }),
    definition,
    applicationId: definition.applicationId ?? name,
  }
}

async function importBundled(path: string): Promise<Record<string, unknown>> {
  const bundle = await bundledScript(path)
  try {
    process.setSourceMapsEnabled(true)
    return (await import(pathToFileURL(bundle.file).href)) as Record<string, unknown>
  } finally {
    await bundle.release()
  }
}

function definitionOf(exported: unknown, file: string): ApplicationDefinition {
  if (isTopology(exported) || isBuilder(exported)) return { topology: exported }
  const topology = typeof exported === 'object' && exported !== null ? (exported as { topology?: unknown }).topology : undefined
  if (isTopology(topology) || isBuilder(topology)) return exported as ApplicationDefinition
  const fact = exported === undefined ? 'has no default export' : 'exports something that is no topology by default'
  throw new MillraceError('SCRIPT', `${file} ${fact}.`, { hint: 'End it with `export default builder.build()`, or with `export default defineApplication({ topology: builder.build(), … })`.' })
}

function isBuilder(value: unknown): value is TopologyBuilder {
  return typeof value === 'object' && value !== null && typeof (value as { build?: unknown }).build === 'function'
}
