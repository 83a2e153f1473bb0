// Go's clients on a Millrace broker on files: franz-go, Sarama, kafka-go. Skipped where there is no Go or its modules cannot be fetched.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientLaws } from './client-laws.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { buildGoClients, goClientNames, whyNoGo, type GoClientName, type GoClients } from './go-clients.ts'

const absent = await whyNoGo()

describe.skipIf(absent !== null)(`Go's clients${absent === null ? '' : ` (${absent})`}`, () => {
  let programs: GoClients
  let broker: FileBroker
  beforeAll(async () => {
    programs = await buildGoClients()
    broker = await startFileBroker()
  })
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]()
    programs?.[Symbol.dispose]()
  })
  const tell = (client: GoClientName, story: string): Promise<string> => programs.run(client, story, broker.bootstrap, `${client}-${story}`)
  const steps = async (client: GoClientName, story: string): Promise<ReadonlyMap<string, unknown>> =>
    new Map((await tell(client, story)).split('\n').filter(Boolean).map(text => JSON.parse(text) as { step: string }).map(({ step, ...line }) => [step, line]))

  const balancers = {
    'franz-go': ['range', 'roundrobin', 'sticky', 'cooperative-sticky', 'static', 'KIP-848', 'KIP-848 range'],
    'sarama': ['range', 'roundrobin', 'sticky', 'cooperative-sticky', 'static'],
    'kafka-go': ['range', 'roundrobin', 'rack affinity'],
  }
  describe.each(goClientNames)('%s', client => {
    clientLaws(() => tell(client, 'story'))

    test('shares a topic by every protocol, and takes over from who leaves', async () => {
      const share = { alone: [0, 1, 2], shared: 3, left: [0, 1, 2] }
      expect(await steps(client, 'balancers')).toEqual(new Map(balancers[client].map(name => [name, share])))
    })
  })

  test('franz-go commits, aborts, is fenced, and copies exactly once in group sessions', async () => {
    expect(await steps('franz-go', 'transactions')).toEqual(new Map<string, unknown>([
      ['create', {}], ['commitAndAbort', { committed: 20, all: 30 }],
      ['openTransaction', { before: 20, listed: 'Ongoing', partitions: [{ Topic: 'franz-go-transactions', Partitions: [0] }] }],
      ['fencing', { failure: 90, zombie: false, heir: true }], ['consumeAndProduce', { records: 60, sum: 3540 }],
    ]))
  })

  test('Sarama commits, aborts, is fenced, and copies with its offsets in the transactions', async () => {
    expect(await steps('sarama', 'transactions')).toEqual(new Map<string, unknown>([
      ['create', {}], ['commitAndAbort', { committed: 20, all: 30 }], ['fencing', { failure: true, last: 'heir' }], ['consumeAndProduce', { sum: 3540, committed: 60 }],
    ]))
  })
})
