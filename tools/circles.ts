// Finds circles in a graph of arrows, each shown once as the walk that comes back to where it began.

export function circles(arrows: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly string[])[] {
  const found: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (node: string): void => {
    const at = path.indexOf(node)
    if (at >= 0) {
      found.push([...path.slice(at), node])
      return
    }
    if (done.has(node)) return
    path.push(node)
    for (const next of arrows.get(node) ?? []) visit(next)
    path.pop()
    done.add(node)
  }
  for (const node of arrows.keys()) visit(node)
  return found
}
