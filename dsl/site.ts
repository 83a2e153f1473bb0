// Finds the line of the user's script that called into the language, so that a message can point at it.

import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Frames between a verb and this function, and a few of the user's in case some are the engine's own. */
const FRAMES = 12

/** `file:line` of the nearest caller outside of this folder, relative to the working directory where it lies below; null if there is none. */
export function callSite(): string | null {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = FRAMES
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = limit
  for (const line of stack.split('\n').slice(1)) {
    const place = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*):(\d+):\d+\)?$/.exec(line)
    if (place === null) continue
    const file = place[1]!.startsWith('file://') ? fileURLToPath(place[1]!) : place[1]!
    if (!file.startsWith(OWN_FOLDER)) return `${shortened(file)}:${place[2]}`
  }
  return null
}

const OWN_FOLDER = fileURLToPath(new URL('.', import.meta.url))

function shortened(file: string): string {
  const below = relative(process.cwd(), file)
  return below === '' || below.startsWith('..') ? file : below
}
