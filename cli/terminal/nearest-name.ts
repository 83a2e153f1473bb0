// Finds the name that somebody probably meant.

/** A hint: `Did you mean X?`, or all the names after the given beginning. */
export function nearest(name: string, known: readonly string[], beginning: string): string {
  const close = known.map(other => ({ other, distance: distance(name, other) })).sort((a, b) => a.distance - b.distance)[0]
  if (close !== undefined && close.distance <= Math.max(2, name.length / 3)) return `Did you mean ${close.other}?`
  return known.length === 0 ? `${beginning} nothing.` : `${beginning} ${known.join(', ')}.`
}

/** Levenshtein's: how many letters must be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
