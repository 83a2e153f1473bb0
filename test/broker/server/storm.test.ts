// A broker and all kinds of clients in a storm of crashes, kills, failing and full disks, slow syncs and lapses of time: whatever anybody was told holds.

import { expect, test } from 'vitest'
import { KeyedFacts, StormReader } from './storm/storm-readers.ts'
import { StormAdmin, StormCommitter, StormTopic } from './storm/storm-admin.ts'
import { StormApp } from './storm/storm-app.ts'
import { StormProducer } from './storm/storm-producer.ts'
import { agedRetentionMs, partitions, PowerGone, turns, World } from './storm/storm-world.ts'

const isNightly = process.env['MILLRACE_NIGHTLY'] !== undefined
const givenSeed = process.env['MILLRACE_SEED']
/** `MILLRACE_SEED` is the only one, or the first of `MILLRACE_STORMS`. */
const firstSeed = Number(givenSeed ?? 1)
const seeds = Number(process.env['MILLRACE_STORMS'] ?? (givenSeed !== undefined ? 1 : isNightly ? 1500 : 24))
const steps = isNightly ? 800 : 500

async function createTopics(world: World): Promise<void> {
  const configs = (others: Readonly<Record<string, string>>) => Object.entries({ 'segment.bytes': String(world.segmentBytes), 'index.interval.bytes': '200', ...others }).map(([name, value]) => ({ name, value }))
  const topic = (name: string, numPartitions: number, others: Readonly<Record<string, string>> = {}) => ({ name, numPartitions, replicationFactor: 1, assignments: [], configs: configs(others) })
  const topics = [
    topic('plain', 2), topic('out', 2, { 'retention.ms': '-1' }), topic('aged', 1, { 'retention.ms': String(agedRetentionMs) }),
    topic('keyed', 1, { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'delete.retention.ms': '20000' }),
  ]
  await world.demand('CreateTopics', { topics }, 5)
  for (const keyType of [0, 1]) await world.demand('FindCoordinator', { keyType, coordinatorKeys: ['g0'] }, 4)
}

function inhabit(world: World): void {
  const places = [['plain', 0], ['plain', 1], ['aged', 0]] as const
  const keyed: StormProducer = new StormProducer(world, 'k', [['keyed', 0]], (_, { records }) => facts.acknowledged(records))
  const facts = new KeyedFacts(world, () => keyed.unacknowledged())
  const apps = [new StormApp(world, 'a'), new StormApp(world, 'b')]
  world.actors.push(
    new StormProducer(world, 'p', places), new StormProducer(world, 'q', places), keyed, facts,
    ...partitions.map(place => new StormReader(world, place)),
    ...apps, ...apps, ...apps,
    new StormCommitter(world, 'g0'), new StormCommitter(world, 'g1'),
    new StormAdmin(world), new StormTopic(world, 'c0'), new StormTopic(world, 'c1'),
  )
}

/** Bad weather. */
async function strike(world: World): Promise<void> {
  const { disk } = world
  const kind = world.below(12)
  if (kind < 3) {
    disk.goesAt = disk.operations + world.below([5, 60, 400][world.below(3)]!)
    world.tell(`the power will go at operation ${disk.goesAt}`)
  } else if (kind === 3) {
    // What a sync has answered is heard: that a process dies between the two is left out.
    await turns(1)
    world.kill()
    await world.start()
    await checkAll(world)
  } else if (kind === 4) {
    world.clear()
    await world.stop()
    await world.start()
    await checkAll(world)
  } else if (kind < 7) {
    disk.failingSyncs = world.below(2) === 0 ? 0 : 5 + world.below(30)
    world.tell(`of a hundred syncs ${disk.failingSyncs} fail`)
  } else if (kind === 7) {
    disk.failingAppends = world.below(2) === 0 ? 0 : 10
    world.tell(`of a hundred appends ${disk.failingAppends} fail`)
  } else if (kind === 8) {
    disk.capacityBytes = world.below(2) === 0 ? Number.POSITIVE_INFINITY : disk.usedBytes + 500
    world.tell(disk.capacityBytes === Number.POSITIVE_INFINITY ? 'there is room again' : 'the disk is full')
  } else {
    const passMs = [200, 16_000, 16_000, 70_000, 310_000][world.below(5)]!
    world.tell(`${passMs} ms pass`)
    world.clock.advance(passMs)
  }
}

async function step(world: World): Promise<void> {
  if (world.below(world.calm) === 0) await strike(world)
  for (let acts = 1 + world.below(6); acts > 0; acts--) world.actors[world.below(world.actors.length)]!.act()
  if (world.below(3) !== 0) world.disk.endSyncs(world.below(4))
  await turns(world.below(3))
  if (!world.disk.isOff) return
  world.crash()
  await world.start()
  await checkAll(world)
}

async function checkAll(world: World): Promise<void> {
  world.clear()
  await turns(3)
  const actors = new Set(world.actors)
  for (const actor of actors) await actor.settle?.()
  for (const actor of actors) await actor.check()
}

/** Again where the power goes meanwhile. */
async function surviving(world: World, action: () => Promise<void>): Promise<void> {
  for (let isAgain = false; ; isAgain = true) {
    try {
      if (isAgain) {
        world.crash()
        await world.start()
        await checkAll(world)
      } else await action()
      return
    } catch (error) {
      if (!(error instanceof PowerGone) && !world.disk.isOff) throw error
    }
  }
}

async function storm(seed: number): Promise<World> {
  const world = new World(seed)
  try {
    await world.start()
    await createTopics(world)
    inhabit(world)
    for (let n = 0; n < steps; n++) {
      await surviving(world, () => step(world))
      if (world.failure !== null) throw world.failure
    }
    world.clear()
    world.disk.endSyncs()
    await surviving(world, async () => {
      await world.stop()
      await world.start()
      await checkAll(world)
    })
    await world.drive(world.broker.close())
  } catch (error) {
    throw new Error(`MILLRACE_SEED=${seed}, after ${world.story.length} events, the last of which were:\n${world.story.slice(-40).join('\n')}`, { cause: error })
  }
  return world
}

test('whatever anybody was told holds', { timeout: 3_600_000 }, async () => {
  const counts: Record<string, number> = {}
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    for (const [name, count] of Object.entries((await storm(seed)).counts)) counts[name] = (counts[name] ?? 0) + count
  }
  if (seeds < 24) return
  // The storms are such: else they show nothing.
  for (const name of ['batches acknowledged', 'transactions committed', 'transactions aborted', 'crashes', 'kills', 'restarts']) expect(counts[name] ?? 0, name).toBeGreaterThan(0)
})
