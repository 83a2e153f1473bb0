// `millrace describe SCRIPT`: shows the topology of a script without running it.

import { topologyJson } from '../description/topology-json.ts'
import { topologyMermaid } from '../description/topology-mermaid.ts'
import { topologyText } from '../description/topology-text.ts'
import { loadScript } from '../script-loader.ts'
import type { Terminal } from '../terminal.ts'

export interface DescribeCommandOptions {
  readonly format: 'text' | 'mermaid' | 'json'
  readonly verbose?: boolean
}

export async function describe(file: string, { format }: DescribeCommandOptions, terminal: Terminal): Promise<void> {
  const { topology, applicationId } = await loadScript(file)
  await terminal.write(`${SHOW[format](topology, applicationId)}\n`)
}

const SHOW = { text: topologyText, mermaid: topologyMermaid, json: topologyJson }
