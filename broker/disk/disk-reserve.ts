// Room that is kept for the day when the disk is full: what frees room must be written down first, and that takes some.

import type { Clock } from '../../core/clock.ts'
import { isDiskFull, type Disk } from './disk.ts'

/** Enough to write down that thousands of topics are deleted. */
export const reserveBytes: number = 1024 * 1024

const file = '.reserve'
/** Where there is less it is not the reserve's to take. */
const leastRoomBytes = 8 * reserveBytes
/** Between two looks for room, once the reserve is spent. */
const refillMs = 10_000

export class DiskReserve {
  readonly #disk: Disk
  readonly #clock: Clock
  #cancelRefill: () => void = () => {}

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  /** Lays it by where there is room to spare; looks again later where there is not. A disk that nobody knows the size of needs none. */
  fill(): void {
    const space = this.#disk.space()
    if (space === null || this.#disk.size(file) === reserveBytes) return
    if (space.usableBytes < leastRoomBytes || !this.#write()) this.#fillLater()
  }

  /** For an action that leads to more room: where the disk is full it has another try with the reserve. */
  spend<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      if (!isDiskFull(error) || this.#disk.size(file) === null) throw error
      this.#disk.remove(file)
      this.#fillLater()
      return action()
    }
  }

  close(): void {
    this.#cancelRefill()
  }

  #write(): boolean {
    try {
      this.#disk.writeFile(file, unevenBytes())
      return true
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#disk.remove(file)
      return false
    }
  }

  #fillLater(): void {
    this.#cancelRefill()
    this.#cancelRefill = this.#clock.after(refillMs, () => this.fill())
  }
}

/** No file system makes little of them. */
function unevenBytes(): Buffer {
  const bytes = Buffer.allocUnsafe(reserveBytes)
  let state = 1
  for (let at = 0; at < reserveBytes; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes.writeUInt32LE(state, at)
  }
  return bytes
}
