// DescribeCluster, InitProducerId: what concerns the broker as a whole.

import { errorCodeOf } from '../../wire/error-code.ts'
import type { Handler } from './handler.ts'

const brokersEndpoint = 1

export const describeCluster: Handler<'DescribeCluster'> = ({ broker }, request) => {
  const common = { clusterId: broker.clusterId, controllerId: broker.nodeId, endpointType: request.endpointType }
  if (request.endpointType !== brokersEndpoint) {
    return { ...common, errorCode: errorCodeOf('MISMATCHED_ENDPOINT_TYPE'), errorMessage: 'The request was sent to an endpoint of the wrong type.', brokers: [] }
  }
  return { ...common, errorCode: 0, errorMessage: null, brokers: [{ brokerId: broker.nodeId, ...broker.endpoint, rack: null, isFenced: false }] }
}

export const initProducerId: Handler<'InitProducerId'> = async ({ broker }, request) => {
  const failed = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 })
  if (request.transactionalId === '') return failed(errorCodeOf('INVALID_REQUEST'))
  if (request.transactionalId !== null) return failed(errorCodeOf('UNSUPPORTED_VERSION'))
  return { errorCode: 0, producerId: await broker.newProducerId(), producerEpoch: 0 }
}
