// A logger that no client can make write without end: lines of one message beyond a limit are counted, and the count is said.

import type { Clock } from '../../core/clock.ts'
import type { LogFields, Logger } from '../../core/logger.ts'

/** Lines of one message in a window of time. */
const maxLines = 20
const windowMs = 1000

type Write = (message: string, fields?: LogFields) => void

export function limitedLogger(logger: Logger, clock: Clock): Logger {
  return {
    info: limited((message, fields) => logger.info(message, fields), clock),
    warn: limited((message, fields) => logger.warn(message, fields), clock),
    error: limited((message, fields) => logger.error(message, fields), clock),
  }
}

/** Messages do not vary, so there are only so many windows. */
function limited(write: Write, clock: Clock): Write {
  const windows = new Map<string, { readonly endMs: number; lines: number }>()
  return (message, fields) => {
    let window = windows.get(message)
    if (window === undefined || clock.monotonic() >= window.endMs) windows.set(message, (window = { endMs: clock.monotonic() + windowMs, lines: 0 }))
    window.lines++
    if (window.lines <= maxLines) write(message, fields)
    else if (window.lines === maxLines + 1) sayOmitted(write, message, window, clock)
  }
}

/** When the window ends, how many lines it had too many is known. */
function sayOmitted(write: Write, message: string, window: { readonly endMs: number; readonly lines: number }, clock: Clock): void {
  clock.after(window.endMs - clock.monotonic(), () => write(message, { omittedLines: window.lines - maxLines }))
}
