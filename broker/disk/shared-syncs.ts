// Syncs that several ask for at once: who asks while one is under way shares the next one with all who ask meanwhile.

interface Running {
  readonly current: Promise<void>
  next: Promise<void> | null
}

export class SharedSyncs {
  readonly #sync: (path: string) => Promise<void>
  readonly #running = new Map<string, Running>()

  constructor(sync: (path: string) => Promise<void>) {
    this.#sync = sync
  }

  /** Resolves when a sync of `path` that begins now, or later, is done. Fails where the one before it did: a medium that has lost something says so once. */
  sync(path: string): Promise<void> {
    const running = this.#running.get(path)
    if (running === undefined) return this.#begin(path)
    return (running.next ??= running.current.then(() => this.#begin(path)))
  }

  #begin(path: string): Promise<void> {
    const running: Running = { current: this.#sync(path), next: null }
    this.#running.set(path, running)
    const done = (): void => {
      if (this.#running.get(path) === running) this.#running.delete(path)
    }
    running.current.then(done, done)
    return running.current
  }
}
