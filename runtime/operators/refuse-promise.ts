// Catches functions that are asynchronous where a record is processed to its end, synchronously.

import { MillraceError } from '../../core/error.ts'

/** What came after the first `await` would run outside of the task, and its failure would be nobody's. @throws MillraceError ASYNC_FUNCTION */
export function refusePromise(returned: unknown): void {
  if (!(returned instanceof Promise)) return
  throw new MillraceError('ASYNC_FUNCTION', 'The function is asynchronous, and records are processed to their end at once.', { hint: 'Leave out async and await here.' })
}
