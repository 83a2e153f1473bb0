// Reads Prometheus' text format, strictly: anything that its grammar does not allow is an error.

export interface ExposedFamily {
  readonly type: string
  readonly help: string
  readonly samples: { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** Families by the name in their TYPE line. */
export function parseExposition(text: string, openMetrics = false): Map<string, ExposedFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  const lines = text.split('\n').slice(0, -1)
  if (openMetrics && lines.pop() !== '# EOF') throw new Error('no # EOF')
  const families = new Map<string, ExposedFamily>()
  const seen = new Set<string>()
  let current = ''
  let help: string | null = null
  for (const line of lines) {
    const helpLine = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/.exec(line)
    const typeLine = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line)
    if (helpLine !== null) {
      current = helpLine[1]!
      help = helpLine[2]!
    } else if (typeLine !== null) {
      if (help === null || typeLine[1] !== current || families.has(current)) throw new Error(`a TYPE out of place: ${line}`)
      families.set(current, { type: typeLine[2]!, help, samples: [] })
      help = null
    } else {
      const family = families.get(current)
      if (family === undefined || help !== null) throw new Error(`a sample before its TYPE: ${line}`)
      const sample = parseSample(line)
      if (!namesOf(current, family.type, openMetrics).includes(sample.name)) throw new Error(`${sample.name} is no sample of ${current}`)
      const key = `${sample.name} ${labelKey(sample.labels)}`
      if (seen.has(key)) throw new Error(`twice: ${line}`)
      seen.add(key)
      family.samples.push(sample)
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family)
  return families
}

/** Equal for equal labels. */
export function labelKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.keys(labels).sort().map(name => [name, labels[name]]))
}

function namesOf(name: string, type: string, openMetrics: boolean): readonly string[] {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`]
  if (type === 'counter' && !openMetrics && !name.endsWith('_total')) throw new Error(`the counter ${name} does not end in _total`)
  return type === 'counter' && openMetrics ? [`${name}_total`] : [name]
}

function parseSample(line: string): ExposedFamily['samples'][number] {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/s.exec(line)
  if (match === null) throw new Error(`no sample: ${line}`)
  return { name: match[1]!, labels: match[2] === undefined ? {} : parseLabels(match[2]), value: Number(match[3]!.replace('Inf', 'Infinity')) }
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest.length > 0) {
    const match = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/s.exec(rest)
    if (match === null || Object.hasOwn(labels, match[1]!)) throw new Error(`no labels: ${text}`)
    labels[match[1]!] = match[2]!.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character))
    rest = rest.slice(match[0].length)
  }
  return labels
}

/** Buckets ascend in bound and count, the last is +Inf and equals the count; there are a sum and a count. */
function checkHistogram(name: string, { samples }: ExposedFamily): void {
  const series = new Map<string, typeof samples>()
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    series.set(key, [...(series.get(key) ?? []), sample])
  }
  for (const all of series.values()) {
    const buckets = all.filter(sample => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => Number(labels['le']!.replace('Inf', 'Infinity')))
    const ascend = (values: readonly number[], strictly: boolean): boolean => values.every((value, i) => i === 0 || value > values[i - 1]! || (!strictly && value === values[i - 1]))
    const count = all.find(sample => sample.name === `${name}_count`)?.value
    const hasSum = all.some(sample => sample.name === `${name}_sum`)
    const isWhole = ascend(bounds, true) && ascend(buckets.map(({ value }) => value), false) && bounds.at(-1) === Infinity && buckets.at(-1)!.value === count && hasSum
    if (!isWhole) throw new Error(`${name} is no histogram`)
  }
}
