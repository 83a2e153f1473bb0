// The serde of keys: keys are strings unless somebody said otherwise.

import { serdes, type Serde } from '../core/serde.ts'
import type { DefaultSerdes } from '../core/topology/topology.ts'
import type { SerdeSlot } from './blueprint.ts'

/** A string serde that gets something else says so at once, so the guess cannot write wrong bytes. */
export function keySerde(slot: SerdeSlot, defaults: DefaultSerdes): Serde<unknown> {
  if (typeof slot === 'function') return slot(defaults)
  return slot ?? defaults.key ?? serdes.string
}
