// The functions that cases name: mappers, selectors, predicates, reducers, aggregators, joiners.

import { isWindowed } from './any-serde.ts'

/** What a function name stands for: `name` or `name:argument`. */
function parsed(text: string): readonly [name: string, argument: string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

function pick<F>(table: Readonly<Record<string, (argument: string) => F>>, text: string): F {
  const [name, argument] = parsed(text)
  const make = table[name]
  if (make === undefined) throw new Error(`the oracle has no function ${text} here`)
  return make(argument)
}

export function str(x: unknown): string {
  if (x === null || x === undefined) return '∅'
  if (isWindowed(x)) return `${str(x.key)}@${x.window.start}/${x.window.end}`
  if (typeof x === 'string' || typeof x === 'number') return String(x)
  throw new Error(`the oracle has no values of type ${typeof x}`)
}

export function fnv(s: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 0x01000193) >>> 0
  return h
}

export function clip(s: string): string {
  return s.length <= 48 ? s : `#${fnv(s).toString(16).padStart(8, '0')}`
}

function num(x: unknown): number {
  return x === null ? 0 : (x as number)
}

type KeyValue = (key: unknown, value: unknown) => unknown

export function mapper(text: string): KeyValue {
  return pick<KeyValue>({
    identity: () => (_k, v) => v,
    tag: a => (_k, v) => clip(`${a}(${str(v)})`),
    keyTag: () => (k, v) => clip(`${str(k)}:${str(v)}`),
    const: a => () => a,
    nullIf: a => (_k, v) => (str(v).includes(a) ? null : v),
    len: () => (_k, v) => str(v).length,
    toString: (): KeyValue => (_k, v) => (v === null ? null : str(v)),
    inc: () => (_k, v) => (v === null ? null : (v as number) + 1),
  }, text)
}

export function selector(text: string): KeyValue {
  return pick<KeyValue>({
    key: () => k => (k === null ? null : str(k)),
    const: a => () => a,
    firstChar: () => (_k, v) => (v === null ? null : str(v).slice(0, 1)),
    lastChar: () => (_k, v) => (v === null ? null : str(v).slice(-1)),
    value: () => (_k, v) => (v === null ? null : str(v)),
    keyFirst: () => k => (k === null ? null : str(k).slice(0, 1)),
    unwin: () => k => (isWindowed(k) ? k.key : k),
    nullIf: a => (k, v) => (k === null || str(v).includes(a) ? null : str(k)),
  }, text)
}

export function predicate(text: string): (key: unknown, value: unknown) => boolean {
  return pick<(key: unknown, value: unknown) => boolean>({
    all: () => () => true,
    none: () => () => false,
    lenEven: () => (_k, v) => str(v).length % 2 === 0,
    contains: a => (_k, v) => str(v).includes(a),
    notContains: a => (_k, v) => !str(v).includes(a),
    keyIn: a => k => k !== null && str(k) !== '' && a.includes(str(k)[0]!),
    keyNull: () => k => k === null,
    valueNull: () => (_k, v) => v === null,
    gt: n => (_k, v) => v !== null && (v as number) > Number(n),
    hash: arguments_ => {
      const [m, r] = arguments_.split(':').map(Number) as [number, number]
      return (k, v) => fnv(`${str(k)}|${str(v)}`) % m === r
    },
  }, text)
}

export function expander(text: string): (value: unknown) => readonly unknown[] {
  return pick<(value: unknown) => readonly unknown[]>({
    explode: () => v => Array.from({ length: v === null ? 1 : fnv(str(v)) % 4 }, (_, i) => clip(`${str(v)}.${i}`)),
    chars: () => v => str(v).slice(0, 3).split(''),
    twice: () => v => [v, v],
    nothing: () => () => [],
  }, text)
}

export function reducer(text: string): (aggregate: unknown, value: unknown) => unknown {
  const cat: KeyValue = (a, v) => clip(`${str(a)}+${str(v)}`)
  return pick<KeyValue>({
    cat: () => cat,
    sub: () => (a, v) => clip(`${str(a)}-${str(v)}`),
    first: () => a => a,
    last: () => (_a, v) => v,
    max: () => (a, v) => (a === null ? v : v === null ? a : (v as number) > (a as number) ? v : a),
    sum: () => (a, v) => num(a) + num(v),
    minus: () => (a, v) => num(a) - num(v),
    nullIf: x => (a, v) => (str(v).includes(x) ? null : cat(a, v)),
  }, text)
}

export function initializer(text: string): () => unknown {
  return pick<() => unknown>({
    str: a => () => a,
    long: n => () => Number(n),
    null: () => () => null,
  }, text)
}

export type Aggregator = (key: unknown, value: unknown, aggregate: unknown) => unknown

export function aggregator(text: string): Aggregator {
  const add: Aggregator = (_k, v, agg) => clip(`${str(agg)}+${str(v)}`)
  return pick<Aggregator>({
    add: () => add,
    addKey: () => (k, v, agg) => clip(`${str(agg)}+${str(k)}:${str(v)}`),
    sub: () => (_k, v, agg) => clip(`${str(agg)}-${str(v)}`),
    nullIf: x => (k, v, agg) => (str(v).includes(x) ? null : add(k, v, agg)),
    sumLen: () => (_k, v, agg) => num(agg) + str(v).length,
    subLen: () => (_k, v, agg) => num(agg) - str(v).length,
    sum: () => (_k, v, agg) => num(agg) + num(v),
    minus: () => (_k, v, agg) => num(agg) - num(v),
  }, text)
}

export function joiner(text: string): (left: unknown, right: unknown, key: unknown) => unknown {
  type Joiner = (left: unknown, right: unknown, key: unknown) => unknown
  const pair: Joiner = (l, r) => clip(`[${str(l)}|${str(r)}]`)
  return pick<Joiner>({
    pair: () => pair,
    pairKey: () => (l, r, k) => clip(`${str(k)}[${str(l)}|${str(r)}]`),
    left: () => l => l,
    right: () => (_l, r) => r,
    nullIf: x => (l, r, k) => (str(l).includes(x) || str(r).includes(x) ? null : pair(l, r, k)),
    lens: () => (l, r) => 100 * str(l).length + str(r).length,
  }, text)
}
