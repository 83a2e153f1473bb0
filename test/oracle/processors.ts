// The processors that cases name.

import type { ProcessorRecord, ProcessorSupplier, Processor, ProcessorContext, ProcessorStore } from '../../core/processor.ts'
import { Headers } from '../../core/headers.ts'
import { clip, fnv, joiner, selector, str } from './functions.ts'

type Context = ProcessorContext<unknown, unknown>
type Handed = ProcessorRecord<unknown, unknown>
type Step = (record: Handed) => void
/** Makes what happens at each record; stores and timers are there already. */
type Setup = (context: Context, argument: readonly string[], own: () => ProcessorStore<unknown, unknown>, read: () => ProcessorStore<unknown, unknown>, javaTopic: JavaTopic) => Step
/** Kafka's name of a topic by ours. */
type JavaTopic = (topic: string) => string

/** A record's value as a header value. */
function text(value: unknown): string {
  return str(value)
}

const setups: Readonly<Record<string, Setup>> = {
  pass: context => record => context.forward(record),
  header: (context, [name]) => record => {
    record.headers.add(name!, text(record.value))
    context.forward(record)
  },
  headerCopy: (context, [name]) => record => {
    const copy = record.withHeaders(record.headers)
    copy.headers.add(name!, text(record.value))
    context.forward(copy)
    context.forward(record)
  },
  dropHeaders: context => record => {
    record.headers.remove()
    context.forward(record)
  },
  twice: context => record => {
    context.forward(record)
    context.forward(record.withValue(clip(`${str(record.value)}'`)))
  },
  rekey: (context, argument) => {
    const select = selector(argument.join(':'))
    return record => context.forward(record.withKey(select(record.key, record.value)))
  },
  shift: (context, [n]) => record => context.forward(record.withTimestamp(record.timestamp + Number(n))),
  meta: (context, _, __, ___, javaTopic) => record => context.forward(record.withValue(clip(`${str(record.value)}@${where(context, javaTopic)}`))),
  clock: context => record => context.forward(record.withValue(clip(`${str(record.value)}@${context.streamTime()}`))),
  route: (context, [a, b]) => record => context.forward(record, fnv(str(record.value)) % 2 === 0 ? a! : b!),
  fail: (context, argument) => record => {
    if (str(record.value).includes(argument.join(':'))) throw new Error(`fail:${argument.join(':')}`)
    context.forward(record)
  },
  dedup: (context, _, own) => record => {
    if (record.key !== null) {
      if (own().get(record.key) === record.value) return
      own().put(record.key, record.value)
    }
    context.forward(record)
  },
  seen: (context, _, own) => record => {
    if (record.key === null) return
    const n = ((own().get(record.key) as number | null) ?? 0) + 1
    own().put(record.key, n)
    context.forward(record.withValue(clip(`${str(record.value)}#${n}`)))
  },
  lookup: (context, _, __, read) => record => {
    const found = record.key === null ? null : read().get(record.key)
    context.forward(record.withValue(joiner('pair')(record.value, found, record.key)))
  },
  batchStream: (context, [ms], own) => batch(context, own, Number(ms), 'stream'),
  batchWall: (context, [ms], own) => batch(context, own, Number(ms), 'wall'),
  batchAnchored: (context, [ms, start], own) => batch(context, own, Number(ms), 'stream', Number(start)),
  tickOnce: (context, [ms], _, __, javaTopic) => {
    const tick = context.schedule(Number(ms), 'stream', time => {
      context.forward({ key: 'tick', value: `at ${time} ${where(context, javaTopic)}`, timestamp: time, headers: new Headers() })
      tick.cancel()
    })
    return record => context.forward(record)
  },
}

function batch(context: Context, own: () => ProcessorStore<unknown, unknown>, ms: number, type: 'stream' | 'wall', startAt?: number): Step {
  context.schedule(ms, type, time => {
    for (const [key, value] of [...own().all()]) {
      context.forward({ key, value, timestamp: time, headers: new Headers() })
      own().delete(key)
    }
  }, startAt === undefined ? {} : { startAt })
  return record => {
    if (record.key !== null) own().put(record.key, record.value)
  }
}

function where(context: Context, javaTopic: JavaTopic): string {
  const { topic, partition, offset } = context.recordMetadata()
  return `${topic === null ? null : javaTopic(topic)}/${partition}/${offset}`
}

export function processor(fn: string, store: string | undefined, reads: readonly string[], javaTopic: JavaTopic): ProcessorSupplier<unknown, unknown, unknown, unknown> {
  const [name, ...argument] = fn.split(':')
  const setup = setups[name!]
  if (setup === undefined) throw new Error(`the oracle has no processor ${fn}`)
  return () => {
    let step: Step = () => {}
    const running: Processor<unknown, unknown, unknown, unknown> = {
      init(context) {
        step = setup(context, argument, () => context.store(store!), () => context.store(reads[0]!), javaTopic)
      },
      process: record => step(record),
    }
    return running
  }
}
