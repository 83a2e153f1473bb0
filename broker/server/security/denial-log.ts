// Says in the log what clients were not allowed to do: who, what, from where; the same again only after a while, and how often.

import type { Clock } from '../../../core/clock.ts'
import type { Logger } from '../../../core/logger.ts'
import { operation, resourceType } from '../../kernel/acl.ts'

export interface Denial {
  readonly principal: string
  readonly host: string
  /** As ACLs number it. */
  readonly operation: number
  readonly resourceType: number
  readonly resourceName: string
}

/** The same is said once in so long. */
const SILENCE_MS = 60_000
/** So many are remembered; beyond, the oldest may be said again early. */
const MAX_REMEMBERED = 1000

export class DenialLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #said = new Map<string, { readonly atMs: number; repeated: number }>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** `request`: what the client asked for, as `Produce`. */
  say(denial: Denial, request: string): void {
    const fields = { principal: denial.principal, operation: nameOf(operation, denial.operation), resource: `${nameOf(resourceType, denial.resourceType)}:${denial.resourceName}`, host: denial.host, request }
    const key = JSON.stringify(fields)
    const nowMs = this.#clock.monotonic()
    const before = this.#said.get(key)
    if (before !== undefined && nowMs - before.atMs < SILENCE_MS) return void before.repeated++
    this.#said.delete(key)
    if (this.#said.size >= MAX_REMEMBERED) this.#said.delete(this.#said.keys().next().value!)
    this.#said.set(key, { atMs: nowMs, repeated: 0 })
    this.#logger.info('access denied', before === undefined || before.repeated === 0 ? fields : { ...fields, repeated: before.repeated })
  }
}

/** `describeConfigs` is DESCRIBE_CONFIGS, as in Kafka. */
function nameOf(names: Readonly<Record<string, number>>, number: number): string {
  const name = Object.entries(names).find(([, value]) => value === number)?.[0] ?? String(number)
  return name.replace(/[A-Z]/g, '_$&').toUpperCase()
}
