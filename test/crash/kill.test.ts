// Kills a running application with SIGKILL at random moments, again and again: no acknowledged record may be lost, and stores must equal their changelogs.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { seededRandom, systemRandom } from '../../core/random.ts'

const seed = Number(process.env['MILLRACE_SEED'] ?? systemRandom.uint32())
const kills = Number(process.env['MILLRACE_KILLS'] ?? 50)
const root = new URL('../..', import.meta.url).pathname
const directories: string[] = []

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
})

interface Verdict {
  readonly store: Record<string, number[]>
  readonly changelog: Record<string, number[]>
  readonly out: Record<string, number[]>
}

test(`${kills} kills at random moments lose nothing (MILLRACE_SEED=${seed})`, { timeout: 300_000 }, async () => {
  const random = seededRandom(seed)
  const data = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
  directories.push(data)
  let acknowledged = 0
  for (let kill = 0; kill < kills; kill++) acknowledged = await runAndKill(data, acknowledged, random.uint32() % 400)
  const verdict = await verdictOf(data)
  expectEverything(verdict, acknowledged)
  await rm(join(data, 'state'), { recursive: true })
  expect(await verdictOf(data), 'rebuilt from the changelog alone').toEqual(verdict)
})

/** Answers the first id that is not known to be acknowledged. */
async function runAndKill(data: string, from: number, afterMs: number): Promise<number> {
  const child = victim(['--data', data, '--from', String(from)])
  let acknowledged = from
  const ended = lines(child, fact => {
    if (fact['started'] === true) systemClock.after(afterMs, () => child.kill('SIGKILL'))
    if (typeof fact['acknowledged'] === 'number') acknowledged = fact['acknowledged']
  })
  expect(await ended).toBe('SIGKILL')
  return acknowledged
}

async function verdictOf(data: string): Promise<Verdict> {
  let verdict: Verdict | undefined
  const ended = await lines(victim(['--data', data, '--verify']), fact => {
    if ('store' in fact) verdict = fact as unknown as Verdict
  })
  expect(ended).toBe(0)
  return verdict!
}

function expectEverything(verdict: Verdict, acknowledged: number): void {
  expect(acknowledged).toBeGreaterThan(0)
  expect(verdict.store).toEqual(verdict.changelog)
  expect(verdict.out).toEqual(verdict.store)
  const seen = new Set(Object.values(verdict.store).flat())
  const lost = Array.from({ length: acknowledged }, (_, id) => id).filter(id => !seen.has(id))
  expect(lost, 'acknowledged ids that no store has').toEqual([])
}

function victim(args: string[]): ChildProcess {
  return spawn(process.execPath, [join(root, 'tools/run-ts.mjs'), join(root, 'test/crash/victim.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Resolves with the exit status, or the signal that ended it. */
function lines(child: ChildProcess, onFact: (fact: Record<string, unknown>) => void): Promise<number | string | null> {
  createInterface({ input: child.stdout! }).on('line', line => onFact(JSON.parse(line) as Record<string, unknown>))
  return new Promise(resolve => child.on('close', (code, signal) => resolve(code ?? signal)))
}
