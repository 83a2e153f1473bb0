// DescribeClientQuotas: nobody has a quota here, and none can be given.

import type { Handler } from './handler.ts'

export const describeClientQuotas: Handler<'DescribeClientQuotas'> = () => ({ errorCode: 0, errorMessage: null, entries: [] })
