// DescribeClientQuotas: nobody has a quota here, and none can be given.

import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import type { RequestOf } from '../../wire/apis.ts'
import type { Handler } from './handler.ts'

type Component = RequestOf<'DescribeClientQuotas'>['components'][number]

export const describeClientQuotas: Handler<'DescribeClientQuotas'> = (_, { components }) => {
  const error = components.map((component, index) => componentProblem(component, components.slice(0, index))).find(problem => problem !== null) ?? combinationProblem(components)
  return error === null ? { errorCode: 0, errorMessage: null, entries: [] } : { errorCode: errorCodeOf(error), errorMessage: 'The filter of quotas is not one.', entries: null }
}

const match = { exact: 0, default: 1, specified: 2 } as const

function componentProblem({ entityType, matchType, match: text }: Component, before: readonly Component[]): ErrorName | null {
  if (entityType === '' || before.some(other => other.entityType === entityType)) return 'INVALID_REQUEST'
  if (!['ip', 'user', 'client-id'].includes(entityType)) return 'UNSUPPORTED_VERSION'
  const isNamed = matchType === match.exact
  return (isNamed || matchType === match.default || matchType === match.specified) && isNamed === (text !== null) ? null : 'INVALID_REQUEST'
}

/** Addresses have quotas of their own. */
function combinationProblem(components: readonly Component[]): ErrorName | null {
  return components.length > 1 && components.some(({ entityType }) => entityType === 'ip') ? 'INVALID_REQUEST' : null
}
