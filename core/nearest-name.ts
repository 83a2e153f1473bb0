// Finds what a person meant who mistyped a name.

/** The known name that a wrong one resembles most. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  let best: string | null = null
  let bestDistance = Math.max(3, name.length / 2)
  for (const other of known) {
    const distance = editDistance(name, other)
    if (distance < bestDistance) [best, bestDistance] = [other, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
