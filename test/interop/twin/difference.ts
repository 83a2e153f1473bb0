// Where two plain answers differ, part by part.

export interface Difference {
  /** Names and places on the way to it: `responses.0.errorCode`. */
  readonly path: string
  readonly apache: unknown
  readonly ours: unknown
}

type Inner = Readonly<Record<string, unknown>>

export function differences(apache: unknown, ours: unknown, path = ''): readonly Difference[] {
  if (Object.is(apache, ours)) return []
  if (!isInner(apache) || !isInner(ours) || Array.isArray(apache) !== Array.isArray(ours)) return [{ path, apache, ours }]
  if (Array.isArray(apache) && apache.length !== (ours as unknown as readonly unknown[]).length) return [{ path, apache, ours }]
  return [...new Set([...Object.keys(apache), ...Object.keys(ours)])].flatMap(name => differences(apache[name], ours[name], path === '' ? name : `${path}.${name}`))
}

/** The innermost part of an answer on the way to `path` that has an error code of its own; the answer, if none has. */
export function partWithError(answer: unknown, path: string): Inner {
  let part = answer
  let found = isInner(answer) ? answer : {}
  for (const name of path.split('.')) {
    if (!isInner(part)) break
    if ('errorCode' in part) found = part
    part = part[name]
  }
  return found
}

function isInner(value: unknown): value is Inner {
  return typeof value === 'object' && value !== null
}
