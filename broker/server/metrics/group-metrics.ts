// Consumer groups as metrics: their states and members, what they have committed, and how far behind they are.

import type { MetricFamily, MetricSample } from '../../../core/metrics/metric.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import type { GroupCoordinator } from '../../kernel/group-coordinator.ts'

export function groupMetrics(broker: BrokerState): readonly MetricFamily[] {
  const coordinators = broker.groupHosts().map(({ coordinator }) => coordinator)
  const groups = coordinators.flatMap(coordinator => [...coordinator.groups()])
  const states = new Map<string, number>()
  for (const { phase } of groups) states.set(phase, (states.get(phase) ?? 0) + 1)
  return [
    { name: 'millrace_groups', type: 'gauge', help: 'Consumer groups, by state.', samples: [...states].map(([state, value]) => ({ labels: { state }, value })) },
    { name: 'millrace_group_members', type: 'gauge', help: 'Members of a consumer group.', samples: groups.map(({ groupId: group, members }) => ({ labels: { group }, value: members.size })) },
    { name: 'millrace_group_committed_offset', type: 'gauge', help: 'Offset that a consumer group has committed in a partition.', samples: committed(coordinators, offset => offset) },
    {
      name: 'millrace_group_lag', type: 'gauge', help: 'Records of a partition that a consumer group has not committed yet.',
      samples: committed(coordinators, (offset, topic, index) => {
        const partition = broker.partition(topic, index)
        return partition === undefined ? null : Math.max(0, partition.highWatermark - Math.max(offset, partition.log.logStartOffset))
      }),
    },
  ]
}

/** A sample for each offset that is committed, unless `valueOf` says null. */
function committed(coordinators: readonly GroupCoordinator[], valueOf: (offset: number, topic: string, partition: number) => number | null): Iterable<MetricSample> {
  return {
    *[Symbol.iterator]() {
      for (const coordinator of coordinators) {
        for (const { groupId: group } of coordinator.groups()) {
          for (const { topic, partition, value: { offset } } of coordinator.positions.all(group)) {
            const value = valueOf(offset, topic, partition)
            if (value !== null) yield { labels: { group, topic, partition }, value }
          }
        }
      }
    },
  }
}
