// What this process has used so far, as Linux counts it: age, CPU seconds, peak memory.

import { readFileSync } from 'node:fs'
import { systemClock } from '../../core/clock.ts'

const TICKS_PER_SECOND = 100

export class ProcessMeter {
  readonly #ageAtStart: number
  readonly #startedAt: number

  constructor() {
    this.#startedAt = systemClock.monotonic()
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
    this.#ageAtStart = uptime - Number(statFields()[19]) / TICKS_PER_SECOND
  }

  /** Seconds since the process began. */
  age(): number {
    return this.#ageAtStart + (systemClock.monotonic() - this.#startedAt) / 1000
  }

  /** User and system time of all threads, seconds. */
  cpu(): number {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }

  peakRssMb(): number {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return Math.round(Number(kilobytes) / 1024)
  }
}

/** Fields of /proc/self/stat from the third on. */
function statFields(): string[] {
  const text = readFileSync('/proc/self/stat', 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
