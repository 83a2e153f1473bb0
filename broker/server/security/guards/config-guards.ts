// Who may see and change settings.

import { operation } from '../../../kernel/acl.ts'
import type { ResponseInput } from '../../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../../wire/error-code.ts'
import { allowsCluster, allowsGroup, allowsTopic, type Access } from '../access.ts'
import { onCluster, partly, type Guard } from '../guard.ts'

/** As DescribeConfigs numbers resources. */
const topicType = 2
const groupType = 32

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

/** Settings of brokers, their loggers and of clients' metrics are the cluster's. */
function isAllowed(access: Access, asked: number, { resourceType, resourceName }: Resource): boolean {
  if (resourceType === topicType) return allowsTopic(access, asked, resourceName)
  if (resourceType === groupType) return allowsGroup(access, asked, resourceName)
  return allowsCluster(access, asked)
}

function refusal({ resourceType, resourceName }: Resource) {
  const error: ErrorName = resourceType === topicType ? 'TOPIC_AUTHORIZATION_FAILED' : resourceType === groupType ? 'GROUP_AUTHORIZATION_FAILED' : 'CLUSTER_AUTHORIZATION_FAILED'
  const what = resourceType === topicType ? 'Topic' : resourceType === groupType ? 'Group' : 'Cluster'
  return { errorCode: errorCodeOf(error), errorMessage: `${what} authorization failed.`, resourceType, resourceName }
}

export const guardDescribeConfigs: Guard<'DescribeConfigs'> = ({ access }, request) =>
  partly({
    request, items: request.resources,
    isAllowed: resource => isAllowed(access, operation.describeConfigs, resource),
    narrow: resources => ({ ...request, resources }),
    widen: (answer, refused) => ({ ...answer, results: [...answer.results, ...refused.map(resource => ({ ...refusal(resource), configs: [] }))] }),
  })

export const guardAlterConfigs: Guard<'AlterConfigs'> = ({ access }, request) =>
  partly({
    request, items: request.resources,
    isAllowed: resource => isAllowed(access, operation.alterConfigs, resource),
    narrow: resources => ({ ...request, resources }),
    widen: (answer, refused) => ({ ...answer, responses: [...answer.responses, ...refused.map(refusal)] }),
  })

export const guardIncrementalAlterConfigs: Guard<'IncrementalAlterConfigs'> = ({ access }, request) =>
  partly({
    request, items: request.resources,
    isAllowed: resource => isAllowed(access, operation.alterConfigs, resource),
    narrow: resources => ({ ...request, resources }),
    widen: (answer, refused) => ({ ...answer, responses: [...answer.responses, ...refused.map(refusal)] }),
  })

export const guardListConfigResources: Guard<'ListConfigResources'> = onCluster(operation.describeConfigs, (): ResponseInput<'ListConfigResources'> => ({ errorCode: errorCodeOf('CLUSTER_AUTHORIZATION_FAILED'), configResources: [] }))
