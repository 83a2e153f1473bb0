// Where two plain answers differ, part by part.

export interface Difference {
  /** Names and places on the way to it: `responses.0.errorCode`. */
  readonly path: string
  readonly apache: unknown
  readonly ours: unknown
}

export function differences(apache: unknown, ours: unknown, path = ''): readonly Difference[] {
  if (Object.is(apache, ours)) return []
  if (!isInner(apache) || !isInner(ours) || Array.isArray(apache) !== Array.isArray(ours)) return [{ path, apache, ours }]
  if (Array.isArray(apache) && apache.length !== (ours as unknown as readonly unknown[]).length) return [{ path, apache, ours }]
  return [...new Set([...Object.keys(apache), ...Object.keys(ours)])].flatMap(name => differences(apache[name], ours[name], path === '' ? name : `${path}.${name}`))
}

function isInner(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
