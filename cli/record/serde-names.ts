// The serdes that can be named on a command line.

import { MillraceError } from '../../core/error.ts'
import { serdes, type Serde } from '../../core/serde.ts'

const NAMED: Readonly<Record<string, Serde<unknown>>> = {
  string: serdes.string,
  json: serdes.json(),
  int32: serdes.int32,
  int64: serdes.int64,
  float64: serdes.float64,
  boolean: serdes.boolean,
  uuid: serdes.uuid,
  bytes: serdes.bytes,
}

const SERDE_NAMES: readonly string[] = Object.keys(NAMED)

/** @throws MillraceError USAGE */
export function serdeNamed(name: string): Serde<unknown> {
  const serde = NAMED[name]
  if (serde === undefined) throw new MillraceError('USAGE', `There is no serde ${name}.`, { hint: `The serdes are ${SERDE_NAMES.join(', ')}.` })
  return serde
}
