// `millrace describe SCRIPT`: shows the topology of a script without running it.

import { describe as describeTopology } from '../../core/topology/describe.ts'
import { topologyText } from '../description/topology-text.ts'
import { loadScript } from '../script/script-loader.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface DescribeCommandOptions {
  /** `text`: trees with the lines of the script; `kafka`: as Kafka Streams prints its topologies. */
  readonly format: 'text' | 'kafka' | 'mermaid' | 'json'
  readonly verbose?: boolean
}

export async function describe(file: string, { format }: DescribeCommandOptions, terminal: Terminal): Promise<void> {
  const { topology, applicationId } = await loadScript(file)
  await terminal.write(format === 'text' ? `${topologyText(topology, applicationId)}\n` : describeTopology(topology, format === 'kafka' ? 'text' : format))
}
