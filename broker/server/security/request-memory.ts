// The memory that requests of all connections take together: when it is full, connections are not read until there is room.

import { MillraceError } from '../../../core/error.ts'

export class RequestMemory {
  readonly #maxBytes: number
  readonly #waiting = new Set<() => void>()
  #bytes = 0
  #isWaking = false

  /** Infinity: no limit. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes
  }

  share(onRoom: () => void): MemoryShare {
    return new RequestShare(this, onRoom)
  }

  /** @throws MillraceError REQUEST_MEMORY_FULL where growing takes twice of what there may be */
  change(bytes: number): void {
    this.#bytes += bytes
    if (bytes <= 0) return this.#wake()
    if (this.#bytes <= 2 * this.#maxBytes) return
    throw new MillraceError('REQUEST_MEMORY_FULL', `Requests take ${this.#bytes} bytes; ${this.#maxBytes} are meant for them.`, { hint: 'Raise queued.max.request.bytes, or lower max.connections.' })
  }

  /** The callback runs once there is room, unless it is taken back. */
  wait(onRoom: () => void): void {
    this.#waiting.add(onRoom)
  }

  forget(onRoom: () => void): void {
    this.#waiting.delete(onRoom)
  }

  /** One after the other, for each may fill it again. */
  #wake(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    for (const onRoom of this.#waiting) {
      if (this.isFull) break
      this.#waiting.delete(onRoom)
      onRoom()
    }
    this.#isWaking = false
  }
}

/** One connection's part of a memory. */
export interface MemoryShare {
  readonly isFull: boolean
  /** Says how many bytes the connection holds now. @throws MillraceError REQUEST_MEMORY_FULL */
  hold(bytes: number): void
  /** Asks to hear of room. */
  wait(): void
  /** The connection is gone. */
  release(): void
}

class RequestShare implements MemoryShare {
  readonly #memory: RequestMemory
  readonly #onRoom: () => void
  #held = 0

  constructor(memory: RequestMemory, onRoom: () => void) {
    this.#memory = memory
    this.#onRoom = onRoom
  }

  get isFull(): boolean {
    return this.#memory.isFull
  }

  hold(bytes: number): void {
    const change = bytes - this.#held
    this.#held = bytes
    this.#memory.change(change)
  }

  wait(): void {
    this.#memory.wait(this.#onRoom)
  }

  release(): void {
    this.#memory.forget(this.#onRoom)
    this.hold(0)
  }
}
