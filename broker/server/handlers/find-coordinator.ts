// FindCoordinator: who keeps a group or a transactional id; makes their internal topics when they are first needed.

import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import type { Handler } from './handler.ts'

type Coordinator = NonNullable<ResponseInput<'FindCoordinator'>['coordinators']>[number]

const keyTypes = { group: 0, transaction: 1 } as const

export const findCoordinator: Handler<'FindCoordinator'> = async ({ broker, version, endpoint }, request) => {
  const keys = version >= 4 ? request.coordinatorKeys : [request.key]
  const isServed = request.keyType === keyTypes.group || request.keyType === keyTypes.transaction
  if (request.keyType === keyTypes.group) await broker.ensureGroups()
  if (request.keyType === keyTypes.transaction) await broker.ensureTransactions()
  const coordinators = keys.map((key): Coordinator => {
    if (!isServed) return { key, nodeId: -1, host: '', port: -1, errorCode: errorCodeOf('INVALID_REQUEST'), errorMessage: 'This broker coordinates groups and transactions only.' }
    return { key, nodeId: broker.nodeId, ...endpoint, errorCode: 0, errorMessage: '' }
  })
  // Before version 4 that nothing is wrong is said in words, too.
  const { errorCode, errorMessage, nodeId, host, port } = coordinators[0] ?? { errorCode: errorCodeOf('INVALID_REQUEST'), nodeId: -1, host: '', port: -1 }
  return version >= 4 ? { coordinators } : { errorCode, errorMessage: errorCode === 0 ? 'NONE' : errorMessage, nodeId, host, port }
}
