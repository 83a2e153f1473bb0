// The pages that people read: README and those beside what they are about, with their code, links and headings.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT: string = resolve(import.meta.dirname, '../..')

export interface Page {
  /** From the root. */
  readonly path: string
  readonly blocks: readonly CodeBlock[]
  readonly links: readonly string[]
  /** As links name them. */
  readonly headings: readonly string[]
}

export interface CodeBlock {
  readonly language: string
  /** `no-test`: nobody runs it. `kafka`: needs clients of others, and a broker at 127.0.0.1:9092; test/interop runs it. */
  readonly mark: string | null
  readonly text: string
}

export const pages: readonly Page[] = ['README.md', 'broker/README.md', 'cli/README.md'].map(path => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const blocks = [...text.matchAll(/^```(\w+)(?: ([\w-]+))?\n([\s\S]*?)^```$/gm)].map(match => ({ language: match[1]!, mark: match[2] ?? null, text: match[3]! }))
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map(match => match[1]!.toLowerCase().replaceAll(/[^\w -]/g, '').replaceAll(' ', '-'))
  return { path, blocks, links: [...prose.matchAll(/\]\(([^)]+)\)/g)].map(match => match[1]!), headings }
})
