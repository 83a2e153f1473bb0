// `millrace broker`: serves a data directory to Kafka clients until somebody stops it.

import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { systemRandom } from '../../core/random.ts'
import { startBroker } from '../../broker/server/start-broker.ts'
import { DEFAULT_DATA, terminalLogger } from '../log-connection.ts'
import { stopSignal } from '../stop-signal.ts'
import type { Terminal } from '../terminal.ts'

export interface BrokerCommandOptions {
  readonly listen?: string
  readonly data?: string
  readonly set?: readonly string[]
  readonly verbose?: boolean
}
