// An error as the fields of a line in the logger.

import type { LogFields } from '../../core/logger.ts'

export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) }
  return { error: error.message, ...('code' in error ? { code: String(error.code) } : {}) }
}
