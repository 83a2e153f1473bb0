// Turns Ctrl-C into a wish: the first one asks for a clean end, the second leaves at once.

import { constants } from 'node:os'
import type { Terminal } from './terminal.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Aborted at the first signal, or when nobody reads the output any more. `goodbye` is said then, if there is anything to say. */
export function stopSignal(terminal: Terminal, goodbye: string | null): AbortSignal {
  const stop = new AbortController()
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + constants.signals[name])
      if (goodbye !== null) terminal.say(goodbye)
      stop.abort()
    })
  }
  terminal.outputClosed.addEventListener('abort', () => stop.abort())
  return stop.signal
}
