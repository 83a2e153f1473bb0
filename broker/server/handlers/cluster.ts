// DescribeCluster: what concerns the broker as a whole.

import { errorCodeOf } from '../../wire/error-code.ts'
import { clusterOperations } from '../security/access.ts'
import type { Handler } from './handler.ts'

const brokersEndpoint = 1

export const describeCluster: Handler<'DescribeCluster'> = ({ broker, access }, request) => {
  const common = { clusterId: broker.clusterId, controllerId: broker.nodeId, endpointType: request.endpointType }
  if (request.endpointType !== brokersEndpoint) {
    return { ...common, errorCode: errorCodeOf('MISMATCHED_ENDPOINT_TYPE'), errorMessage: 'The request was sent to an endpoint of the wrong type.', brokers: [] }
  }
  return { ...common, errorCode: 0, errorMessage: null, brokers: [{ brokerId: broker.nodeId, ...broker.endpoint, rack: null, isFenced: false }], ...(request.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: clusterOperations(access) } : {}) }
}
