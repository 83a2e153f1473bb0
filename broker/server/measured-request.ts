// Measures a request while it is answered: how long it works and waits, which errors it answers, and whether that was slow.

import { MillraceError } from '../../core/error.ts'
import type { ApiName, ResponseInput } from '../wire/apis.ts'
import { errorNameOf } from '../wire/error-code.ts'
import type { BrokerState } from '../engine/broker-state.ts'
import { visitErrors } from './response-errors.ts'

type Answer<N extends ApiName> = ResponseInput<N> | null

/** Calls `handle` at once and answers what it answers. `clientId` is for the line about a slow one. */
export async function measured<N extends ApiName>(broker: BrokerState, api: N, clientId: string | null, handle: () => Promise<Answer<N>> | Answer<N>): Promise<Answer<N>> {
  const { clock, meters } = broker
  const request = meters.requests.get(api)!
  const begunMs = clock.monotonic()
  let localMs = 0
  meters.requestsInFlight++
  try {
    let answering
    try {
      answering = handle()
    } finally {
      localMs = clock.monotonic() - begunMs
      request.localSeconds.observe(localMs / 1000)
    }
    const answer = await answering
    if (answer !== null) visitErrors(api, answer, code => request.failed(errorNameOf(code)))
    return answer
  } catch (error) {
    request.failed(error instanceof MillraceError ? error.code : 'UNKNOWN_SERVER_ERROR')
    throw error
  } finally {
    const totalMs = clock.monotonic() - begunMs
    meters.requestsInFlight--
    request.totalSeconds.observe(totalMs / 1000)
    const slowMs = waitsOnPurpose.has(api) ? localMs : totalMs
    if (slowMs >= broker.config.number('millrace.slow.request.ms')) broker.logger.warn('slow request', { api, clientId, ms: Math.round(slowMs) })
  }
}

/** Those that wait for records, or for the other members of a group: only their work may be slow. */
const waitsOnPurpose: ReadonlySet<ApiName> = new Set<ApiName>(['Fetch', 'JoinGroup', 'SyncGroup'])
