// Passes on what comes: the sources (their records are decoded by the task's queues), branches and merges.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import { Operator } from './operator.ts'

export class PassOperator extends Operator {
  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    this.forward(key, value, timestamp, headers)
  }

  override receiveChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    this.forwardChange(key, newValue, oldValue, timestamp, headers)
  }
}
