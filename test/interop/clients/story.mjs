// How the JavaScript programs tell their story: one JSON line a step, and what the records of it are. MODULES is the folder of the packages.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const RECORDS = 60
export const PARTITIONS = 3
export const FIRST_TIMESTAMP = 1_700_000_000_000
const WAIT_MS = 30_000

export function clientPackage(name) {
  return import(pathToFileURL(createRequire(join(process.env.MODULES, 'package.json')).resolve(name)).href)
}

/** `act` gives what is told. */
export async function tell(step, act) {
  let line
  try {
    line = await act()
  } catch (error) {
    line = { error: `${error.stack} ${JSON.stringify(error)}` }
  }
  process.stdout.write(`${JSON.stringify({ step, ...line })}\n`)
}

export function record(i) {
  return {
    partition: i % PARTITIONS,
    key: i % 10 === 9 ? null : `key-${i % 7}`,
    value: i % 20 === 5 ? null : `value ${i} ü`,
    timestamp: FIRST_TIMESTAMP + i * 1_000,
    headers: i % 2 === 0 ? { index: String(i), empty: '' } : {},
  }
}

export const allRecords = Array.from({ length: RECORDS }, (_, i) => record(i))

export function byPlace(a, b) {
  return a[0] - b[0] || a[1] - b[1]
}

/** Whether it becomes true within five seconds, asked again and again. */
export async function comesTrue(ask) {
  for (let tries = 0; tries < 50; tries++) {
    if (await ask()) return true
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return false
}

/** Something that becomes true when `changed` is called often enough. */
export function condition(what, isTrue) {
  let done
  let failed
  const met = new Promise((resolve, reject) => {
    done = resolve
    failed = reject
  })
  const timeout = AbortSignal.timeout(WAIT_MS)
  timeout.addEventListener('abort', () => failed(new Error(`${what} did not happen in ${WAIT_MS} ms`)))
  const changed = () => {
    const found = isTrue()
    if (found) done(found)
  }
  changed()
  return { met, changed }
}
