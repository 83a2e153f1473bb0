// FindCoordinator: who keeps a group; makes __consumer_offsets when it is first needed.

import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import type { Handler } from './handler.ts'

type Coordinator = NonNullable<ResponseInput<'FindCoordinator'>['coordinators']>[number]

const groupKey = 0

export const findCoordinator: Handler<'FindCoordinator'> = async ({ broker, version }, request) => {
  const keys = version >= 4 ? request.coordinatorKeys : [request.key]
  const error = await problem()
  const coordinators = keys.map((key): Coordinator => {
    if (error !== null) return { key, nodeId: -1, host: '', port: -1, errorCode: errorCodeOf(error), errorMessage: 'This broker coordinates no transactions and no share groups.' }
    return { key, nodeId: broker.nodeId, ...broker.endpoint, errorCode: 0 }
  })
  const { errorCode, errorMessage = null, nodeId, host, port } = coordinators[0] ?? { errorCode: errorCodeOf('INVALID_REQUEST'), nodeId: -1, host: '', port: -1 }
  return version >= 4 ? { coordinators } : { errorCode, errorMessage, nodeId, host, port }

  async function problem(): Promise<ErrorName | null> {
    if (request.keyType !== groupKey) return request.keyType === 1 ? 'COORDINATOR_NOT_AVAILABLE' : 'INVALID_REQUEST'
    await broker.ensureGroups()
    return null
  }
}
