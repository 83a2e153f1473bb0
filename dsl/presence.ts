// The serde of values that nobody will look at, as on the way to a count: no bytes, and `true` when read.

import type { Serde } from '../core/serde.ts'

const NOTHING = new Uint8Array(0)

export const presence: Serde<unknown> = { name: 'presence', scalar: false, serialize: () => NOTHING, deserialize: () => true }
