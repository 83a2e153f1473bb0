// Metrics as text that Prometheus reads: its own format 0.0.4, or OpenMetrics 1.0.0.

import type { HistogramValue, MetricFamily, MetricLabels, MetricSample } from './metric.ts'

export type MetricsFormat = 'prometheus' | 'openmetrics'

export const contentTypes: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** A family without samples is left out. */
export function prometheusText(families: Iterable<MetricFamily>, format: MetricsFormat = 'prometheus'): string {
  const lines: string[] = []
  for (const family of families) addFamily(lines, family, format)
  if (format === 'openmetrics') lines.push('# EOF')
  return lines.map(line => `${line}\n`).join('')
}

function addFamily(lines: string[], family: MetricFamily, format: MetricsFormat): void {
  const sampleName = family.type === 'counter' ? `${family.name}_total` : family.name
  const headName = format === 'openmetrics' ? family.name : sampleName
  const head = lines.length
  for (const sample of family.samples) addSample(lines, sampleName, sample, format)
  if (lines.length === head) return
  lines.splice(head, 0, `# HELP ${headName} ${escapedHelp(family.help, format)}`, `# TYPE ${headName} ${family.type}`)
}

function addSample(lines: string[], name: string, { labels, value }: MetricSample, format: MetricsFormat): void {
  if (typeof value === 'number') lines.push(`${name}${labelText(labels)} ${numberText(value)}`)
  else addHistogram(lines, name, labels, value, format)
}

function addHistogram(lines: string[], name: string, labels: MetricLabels, { bounds, counts, sum, count }: HistogramValue, format: MetricsFormat): void {
  let below = 0
  bounds.forEach((bound, i) => {
    below += counts[i]!
    const le = format === 'openmetrics' && Number.isInteger(bound) ? `${bound}.0` : String(bound)
    lines.push(`${name}_bucket${labelText({ ...labels, le })} ${below}`)
  })
  lines.push(`${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}`)
  lines.push(`${name}_sum${labelText(labels)} ${numberText(sum)}`, `${name}_count${labelText(labels)} ${count}`)
}

function labelText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapedLabel(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** A NUL, which a client may put into the name of a group, ends the text for Prometheus. */
function escapedLabel(text: string): string {
  return text.replaceAll('\0', '\u2400').replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function escapedHelp(text: string, format: MetricsFormat): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}
