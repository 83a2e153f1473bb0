// Shows how far a run has come: a line that is rewritten on a terminal, a line now and then elsewhere.

import type { Clock } from '../../core/clock.ts'
import type { RunProgress } from './script-run.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { grouped } from '../terminal/text-table.ts'

const REWRITE_MS = 100
const SPARSE_MS = 10_000
const BAR_CELLS = 24

export class Progress {
  readonly #terminal: Terminal
  readonly #clock: Clock
  readonly #name: string
  readonly #read: () => RunProgress
  readonly #startedAt: number
  #cancel: () => void = () => {}

  constructor(options: { readonly terminal: Terminal; readonly clock: Clock; readonly name: string; readonly read: () => RunProgress }) {
    this.#terminal = options.terminal
    this.#clock = options.clock
    this.#name = options.name
    this.#read = options.read
    this.#startedAt = options.clock.monotonic()
  }

  start(): void {
    const interval = this.#terminal.watched ? REWRITE_MS : SPARSE_MS
    const tick = (): void => {
      if (this.#terminal.watched) this.#terminal.status(this.#line())
      else this.#terminal.say(this.#line())
      this.#cancel = this.#clock.after(interval, tick)
    }
    this.#cancel = this.#clock.after(interval, tick)
  }

  /** Takes the line away and gives what was reached. */
  stop(): RunProgress & { readonly seconds: number } {
    this.#cancel()
    this.#terminal.status(null)
    return { ...this.#read(), seconds: (this.#clock.monotonic() - this.#startedAt) / 1000 }
  }

  #line(): string {
    const { fed, share, metrics } = this.#read()
    const parts = [`${grouped(metrics.processed)} processed`]
    if (fed > 0) parts.unshift(`${grouped(fed)} fed`)
    if (metrics.restored > 0) parts.push(`${grouped(metrics.restored)} restored`)
    if (metrics.dropped > 0) parts.push(`${grouped(metrics.dropped)} dropped`)
    const bar = share === null || share >= 1 ? '' : ` ${barOf(share)} ${Math.floor(share * 100)} %`
    return `${this.#name}${bar} ${parts.join(', ')}`
  }
}

function barOf(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR_CELLS)
  return `▕${'█'.repeat(full)}${' '.repeat(BAR_CELLS - full)}▏`
}
