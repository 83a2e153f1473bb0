// Transactions as metrics: how many transactional ids there are in each state, and how long the oldest transaction is open.

import { single, type MetricFamily } from '../../../core/metrics/metric.ts'
import type { BrokerState } from '../../engine/broker-state.ts'

export function transactionMetrics({ transactions, clock }: BrokerState): readonly MetricFamily[] {
  const now = clock.now()
  const states = new Map<string, number>()
  let oldestMs = 0
  for (const { coordinator } of transactions.all) {
    for (const [, { status, startedAt }] of coordinator.all()) {
      states.set(status, (states.get(status) ?? 0) + 1)
      if (status === 'Ongoing') oldestMs = Math.max(oldestMs, now - startedAt)
    }
  }
  return [
    { name: 'millrace_transactional_ids', type: 'gauge', help: 'Transactional ids, by the state of their last transaction.', samples: [...states].map(([state, value]) => ({ labels: { state }, value })) },
    single('gauge', 'millrace_transaction_oldest_seconds', 'How long the oldest open transaction has been open; consumers that read committed records wait for it.', oldestMs / 1000),
  ]
}
