// What is written to a socket in one turn of the event loop goes out together, in one system call.

export interface Corkable {
  cork(): void
  uncork(): void
}

export class TurnCork {
  readonly #socket: Corkable
  #isHeld = false

  constructor(socket: Corkable) {
    this.#socket = socket
  }

  /** Holds back what is written from now on, to the end of the turn. */
  hold(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    this.#socket.cork()
    process.nextTick(() => {
      this.#isHeld = false
      this.#socket.uncork()
    })
  }
}
