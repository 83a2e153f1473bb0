// A topology for people and programs to read: as text in Kafka's manner, as a mermaid flowchart, or as JSON.

import { describeAsJson } from './describe-json.ts'
import { describeAsMermaid } from './describe-mermaid.ts'
import { describeAsText } from './describe-text.ts'
import type { Topology } from './topology.ts'

export type DescriptionFormat = 'text' | 'mermaid' | 'json'

/** Ends with a line break. Topics of the application's own stand without the application id before them. */
export function describe(topology: Topology, format: DescriptionFormat): string {
  return FORMATS[format](topology)
}

const FORMATS: { readonly [Format in DescriptionFormat]: (topology: Topology) => string } = {
  text: describeAsText,
  mermaid: describeAsMermaid,
  json: describeAsJson,
}
