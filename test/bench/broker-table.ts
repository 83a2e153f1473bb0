// The table of broker measurements: a line per measurement, Apache Kafka and Millrace side by side, with how many times Millrace is ahead.

export interface BrokerRow {
  readonly pass: string
  readonly broker: 'kafka' | 'millrace'
  readonly what: string
  readonly label?: string
  readonly [field: string]: string | number | undefined
}

interface Figure {
  readonly field: string
  readonly title: string
  readonly better: 'more' | 'less'
}

const figures: Readonly<Record<string, readonly Figure[]>> = {
  produce: [
    { field: 'records_per_s', title: 'records/s', better: 'more' },
    { field: 'broker_cpu_per_million', title: 'broker CPU s per million', better: 'less' },
    { field: 'p99_ms', title: 'p99 ms', better: 'less' },
  ],
  consume: [
    { field: 'fetch_records_per_s', title: 'records/s', better: 'more' },
    { field: 'broker_cpu_per_million', title: 'broker CPU s per million', better: 'less' },
  ],
  latency: [
    { field: 'p50_ms', title: 'p50 ms', better: 'less' },
    { field: 'p99_ms', title: 'p99 ms', better: 'less' },
    { field: 'p999_ms', title: 'p99.9 ms', better: 'less' },
  ],
  small: [
    { field: 'per_s', title: 'a second', better: 'more' },
    { field: 'p50_ms', title: 'p50 ms', better: 'less' },
    { field: 'p99_ms', title: 'p99 ms', better: 'less' },
    { field: 'cpu_ms_each', title: 'broker CPU ms each', better: 'less' },
    { field: 'flushes_each', title: 'flushes of the disk each', better: 'less' },
  ],
  'transactional perf': [
    { field: 'per_s', title: 'records/s', better: 'more' },
    { field: 'p99_ms', title: 'p99 ms', better: 'less' },
    { field: 'cpu_ms_each', title: 'broker CPU ms each', better: 'less' },
  ],
  startup: [{ field: 'ms', title: 'ms', better: 'less' }],
  memory: [{ field: 'mb', title: 'MB', better: 'less' }],
}

/** Medians where a measurement was repeated. */
export function brokerTable(rows: readonly BrokerRow[]): string {
  const lines = ['| measurement | figure | Apache Kafka | Millrace | ahead |', '| --- | --- | --: | --: | --: |']
  for (const [name, group] of groups(rows)) {
    for (const { field, title, better } of figures[group[0]!.what] ?? []) {
      const [kafka, millrace] = (['kafka', 'millrace'] as const).map(broker => median(group.filter(row => row.broker === broker).map(row => Number(row[field]))))
      if (kafka === undefined || millrace === undefined || Number.isNaN(kafka) || Number.isNaN(millrace)) continue
      const ahead = better === 'more' ? millrace / kafka : kafka / millrace
      lines.push(`| ${name} | ${title} | ${rounded(kafka)} | ${rounded(millrace)} | ${ahead.toFixed(ahead < 10 ? 1 : 0)} × |`)
    }
  }
  return lines.join('\n')
}

function groups(rows: readonly BrokerRow[]): Map<string, BrokerRow[]> {
  const found = new Map<string, BrokerRow[]>()
  for (const row of rows) {
    const name = nameOf(row)
    found.set(name, [...(found.get(name) ?? []), row])
  }
  return found
}

function nameOf({ pass, what, label, size, acks, partitions, rate, clients }: BrokerRow): string {
  const parts = [what, label === 'default' ? undefined : label, size && `${size} B`, partitions && `${partitions} partition${partitions === 1 ? '' : 's'}`, rate && `${rate}/s`, clients && `${clients} client${clients === 1 ? '' : 's'}`, acks && `acks ${acks}`, pass === 'startup' ? undefined : pass]
  return parts.filter(part => part !== undefined && part !== '').join(', ')
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}
