// The error of an administrator's call: what names something that is not there is not tried again.

import { MillraceError } from '../../core/error.ts'
import { errors, kafkaError } from '../wire/error-code.ts'

export function adminError(code: number, context: string, detail?: string | null): MillraceError {
  const error = kafkaError(code, context, detail)
  if (code !== errors.UNKNOWN_TOPIC_OR_PARTITION.code) return error
  return new MillraceError(error.code, `${context}: there is no such topic.`, { hint: 'Check its name.' })
}
