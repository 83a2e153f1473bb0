// Settings of Apache Kafka that mean nothing to this broker, and why.

import { kafkaSettingPattern, kafkaSettings } from './kafka-settings.ts'

/** Whether it is one of Kafka's, of those that this broker does not have: look for its own first. */
export function isForeign(name: string): boolean {
  return kafkaSettings.has(name) || kafkaSettingPattern.test(name)
}

/** Why it means nothing here, or what does what it does; null where there is no more to say. */
export function whyForeign(name: string): string | null {
  return whys[name] ?? families.find(([pattern]) => pattern.test(name))?.[1] ?? null
}

/** A sentence for whoever wants to set it. */
export function saidOfForeign(name: string): string {
  const why = whyForeign(name)
  return `The setting ${name} of Apache Kafka means nothing here${why === null ? '' : `: ${why}`}.`
}

const whys: Readonly<Record<string, string>> = {
  'log.dir': '--data says where',
  'log.dirs': '--data says where',
  'max.connection.creation.rate': 'max.connections and max.connections.per.ip bound connections',
  'metric.reporters': '--metrics serves Prometheus',
  'process.roles': 'there is one role',
  'num.io.threads': 'one thread serves all',
  'num.network.threads': 'one thread serves all',
  'group.consumer.assignment.interval.ms': 'partitions are shared out at once',
  'group.consumer.min.assignment.interval.ms': 'partitions are shared out at once',
  'group.consumer.max.assignment.interval.ms': 'partitions are shared out at once',
  'group.coordinator.rebalance.protocols': 'classic and consumer are served',
  'offsets.topic.compression.codec': 'committed offsets are not compressed',
  'offsets.commit.timeout.ms': 'a commit is answered when it is on the disk',
  'offsets.commit.required.acks': 'a commit is answered when it is on the disk',
  'transaction.partition.verification.enable': 'partitions of a transaction are always verified',
  'transaction.two.phase.commit.enable': 'two-phase commit is not served',
}

const families: readonly (readonly [RegExp, string])[] = [
  [/^(controller|metadata)\./, 'there is one broker, which keeps its own metadata'],
  [/^(replica|replication|follower|leader)\./, 'there is one broker, and no replicas'],
  [/^(group\.)?share\./, 'share groups are not served'],
  [/^(group\.)?streams\./, 'streams groups are not served'],
  [/^(log\.local|remote|rlmm|rsm)\./, 'there is no remote storage'],
  [/^zookeeper\./, 'there is no ZooKeeper'],
  [/^sasl\.(kerberos|oauthbearer|login)\./, 'users log in with PLAIN and SCRAM'],
  [/^delegation\.token\./, 'there are no delegation tokens'],
  [/quota/, 'there are no quotas'],
]
