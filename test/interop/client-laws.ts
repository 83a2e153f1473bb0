// The story that a client of any language tells against a broker, one JSON line a step (clients/), and what each line must say.

import { beforeAll, expect, test, type TestContext } from 'vitest'
import { MillraceError } from '../../core/error.ts'

/** A line: the step, and what came of it; or why the client cannot take this step; or what it threw. */
type Line = Readonly<Record<string, unknown>> & { readonly step: string; readonly absent?: string; readonly error?: string }
type ReadRecord = readonly [partition: number, offset: number, key: string | null, value: string | null, timestamp: number, headers: Readonly<Record<string, string>>]

const RECORDS = 60
const PARTITIONS = 3
const FIRST_TIMESTAMP = 1_700_000_000_000
const TOPIC_ALREADY_EXISTS = 36
const NON_EMPTY_GROUP = 68

/** Registers the tests; `tell` runs the client's program to its end and gives what it printed. */
export function clientLaws(tell: () => Promise<string>): void {
  let lines: ReadonlyMap<string, Line>
  const line = (step: string, context: TestContext): Line => {
    const found = lines.get(step)
    if (found === undefined) throw new Error(`the program ended before ${step}:\n${[...lines.values()].map(each => JSON.stringify(each).slice(0, 500)).join('\n')}`)
    context.skip(found.absent !== undefined, found.absent)
    if (found.error !== undefined) throw new Error(found.error)
    return found
  }

  beforeAll(async () => {
    lines = linesOf(await told(tell))
  })

  test('creates a topic, and hears that it is there', context => {
    expect(line('create', context)).toMatchObject({ partitions: PARTITIONS, again: TOPIC_ALREADY_EXISTS })
  })

  test('writes to every partition', context => {
    expect(line('produce', context)).toMatchObject({ ends: [20, 20, 20] })
  })

  test('reads keys, values, headers and timestamps as they were written', context => {
    expect(line('read', context)['records']).toEqual(expectedRecords())
  })

  test('finds offsets by time', context => {
    expect(line('times', context)).toMatchObject({ offsets: [11, 10, 10] })
  })

  test('reads on from where it seeks to', context => {
    expect(line('seek', context)).toMatchObject({ value: 'value 46 ü' })
  })

  test('members of a group share the partitions, read each record and commit', context => {
    const { alone, shared, read, committed } = line('group', context) as unknown as { alone: number[]; shared: number[][]; read: number; committed: number[] }
    expect(alone).toEqual([0, 1, 2])
    expect(shared).toHaveLength(2)
    for (const share of shared) expect(share.length).toBeGreaterThan(0)
    expect(shared.flat().sort((a, b) => a - b)).toEqual([0, 1, 2])
    expect(read).toBe(RECORDS)
    expect(committed).toEqual([20, 20, 20])
  })

  test('another member goes on where the group committed', context => {
    expect(line('resume', context)).toMatchObject({ value: 'one more' })
  })

  test('lists and describes groups', context => {
    expect(line('groups', context)).toMatchObject({ listed: true, state: 'Stable', members: 1 })
  })

  test('refuses to delete a group with members, and deletes an empty one', context => {
    expect(line('deleteGroup', context)).toMatchObject({ refused: NON_EMPTY_GROUP, listed: false })
  })

  test('changes and describes settings', context => {
    expect(line('configs', context)).toMatchObject({ before: '604800000', after: '123456' })
  })

  test('adds partitions', context => {
    expect(line('partitions', context)).toMatchObject({ partitions: 5 })
  })

  test('deletes records', context => {
    expect(line('deleteRecords', context)).toMatchObject({ lowWatermark: 12, first: 12 })
  })

  test('deletes topics', context => {
    expect(line('deleteTopic', context)).toMatchObject({ listed: false })
  })

  test('nothing else went wrong', () => {
    expect([...lines.values()].filter(({ error }) => error !== undefined)).toEqual([])
  })
}

/** A program that fails has still said how far it came. */
async function told(tell: () => Promise<string>): Promise<string> {
  try {
    return await tell()
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'COMMAND_FAILED') throw error
    return `${JSON.stringify({ step: 'end', error: error.message })}\n`
  }
}

function linesOf(output: string): ReadonlyMap<string, Line> {
  const lines = output.split('\n').filter(text => text.startsWith('{"')).map(text => JSON.parse(text) as Line)
  return new Map(lines.map(each => [each.step, each]))
}

/** What every program writes: record i to partition i mod 3, some without key, some without value. */
function expectedRecords(): readonly ReadRecord[] {
  const records = Array.from({ length: RECORDS }, (_, i): ReadRecord => [
    i % PARTITIONS,
    Math.floor(i / PARTITIONS),
    i % 10 === 9 ? null : `key-${i % 7}`,
    i % 20 === 5 ? null : `value ${i} ü`,
    FIRST_TIMESTAMP + i * 1_000,
    i % 2 === 0 ? { index: String(i), empty: '' } : {},
  ])
  return records.sort((a, b) => a[0] - b[0] || a[1] - b[1])
}
