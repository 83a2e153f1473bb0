// What a guard is: it looks at a request before its handler does, and lets it pass, in part, or not at all.

import type { ApiName, RequestOf, ResponseInput } from '../../wire/apis.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { allowsCluster, type Access } from './access.ts'

export interface Asking {
  readonly access: Access
  readonly broker: BrokerState
  readonly version: number
}

/** An answer without the handler, or what the handler gets; `finish` adds to its answer, or takes away, what it must not say; `refuses`: something that was asked for by its name. */
export type Verdict<N extends ApiName> =
  | { readonly answer: ResponseInput<N> }
  | { readonly request: RequestOf<N>; readonly finish?: (answer: ResponseInput<N>) => ResponseInput<N>; readonly refuses?: boolean }

/** Looks at what is there when it is called, and waits for nothing: what the handler does follows at once. */
export type Guard<N extends ApiName> = (asking: Asking, request: RequestOf<N>) => Verdict<N>

/** For what everybody may ask. The handler itself must say nothing that somebody may not know. */
export function everybody<N extends ApiName>(_: Asking, request: RequestOf<N>): Verdict<N> {
  return { request }
}

/** For what needs one operation on the cluster. */
export function onCluster<N extends ApiName>(operation: number, refused: (request: RequestOf<N>) => ResponseInput<N>): Guard<N> {
  return ({ access }, request) => (allowsCluster(access, operation) ? { request } : { answer: refused(request) })
}

export interface Split<N extends ApiName, T> {
  readonly request: RequestOf<N>
  readonly items: readonly T[]
  readonly isAllowed: (item: T) => boolean
  /** The request for what is allowed. */
  readonly narrow: (allowed: readonly T[]) => RequestOf<N>
  /** The answer with what is refused. */
  readonly widen: (answer: ResponseInput<N>, refused: readonly T[]) => ResponseInput<N>
}

/** For requests about many things, each of which is allowed or not. */
export function partly<N extends ApiName, T>({ request, items, isAllowed, narrow, widen }: Split<N, T>): Verdict<N> {
  const verdicts = items.map(isAllowed)
  if (!verdicts.includes(false)) return { request }
  const refused = items.filter((_, index) => !verdicts[index])
  return { request: narrow(items.filter((_, index) => verdicts[index])), finish: answer => widen(answer, refused), refuses: true }
}
