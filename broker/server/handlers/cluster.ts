// DescribeCluster: what concerns the broker as a whole.

import { errorCodeOf } from '../../wire/error-code.ts'
import { clusterOperations } from '../security/access.ts'
import type { Handler } from './handler.ts'

const endpoint = { brokers: 1, controllers: 2 } as const

export const describeCluster: Handler<'DescribeCluster'> = ({ broker, access, endpoint: place }, request) => {
  const common = { clusterId: broker.clusterId, controllerId: broker.nodeId, endpointType: endpoint.brokers }
  if (request.endpointType !== endpoint.brokers) {
    const error = request.endpointType === endpoint.controllers ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE'
    return { clusterId: '', controllerId: -1, endpointType: endpoint.brokers, errorCode: errorCodeOf(error), errorMessage: `The request asks for endpoints of type ${request.endpointType}, and was sent to a broker.`, brokers: [] }
  }
  return { ...common, errorCode: 0, errorMessage: null, brokers: [{ brokerId: broker.nodeId, ...place, rack: null, isFenced: false }], ...(request.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: clusterOperations(access) } : {}) }
}
