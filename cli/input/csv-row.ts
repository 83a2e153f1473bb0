// Splits one row of CSV (RFC 4180) into its fields: commas between, quotes around fields that need them, doubled quotes inside.

/** Throws nothing: a quote out of place is taken as it stands. */
export function csvFields(row: string): string[] {
  if (!row.includes('"')) return row.split(',')
  const fields: string[] = []
  let at = 0
  while (at <= row.length) {
    const [field, end] = row[at] === '"' ? quotedField(row, at) : plainField(row, at)
    fields.push(field)
    at = end + 1
  }
  return fields
}

function plainField(row: string, start: number): [string, number] {
  const comma = row.indexOf(',', start)
  const end = comma < 0 ? row.length : comma
  return [row.slice(start, end), end]
}

function quotedField(row: string, start: number): [string, number] {
  let text = ''
  let at = start + 1
  for (;;) {
    const quote = row.indexOf('"', at)
    if (quote < 0) return [text + row.slice(at), row.length]
    text += row.slice(at, quote)
    if (row[quote + 1] !== '"') {
      const [rest, end] = plainField(row, quote + 1)
      return [text + rest, end]
    }
    text += '"'
    at = quote + 2
  }
}
