// Where Apache Kafka's command line tools are answered otherwise than by Apache Kafka, and why.

import type { Departures } from './story-laws.ts'

export const toolDepartures: Departures = {
  ...departing('a setting that means nothing here is refused', {
    ...configsRefused('InvalidConfigurationException', '--entity-type brokers --entity-name 1 --alter --add-config log.cleaner.threads=2', '--entity-type brokers --entity-name 1 --alter --add-config no.such.setting=3'),
    'kafka-configs --entity-type brokers --entity-name 1 --describe': ['Dynamic configs for broker 1 are:', 'message.max.bytes=2000000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:message.max.bytes=2000000, DEFAULT_CONFIG:message.max.bytes=1048588}'],
    'kafka-configs --entity-type brokers --describe': ['Dynamic configs for broker 1 are:', 'Default configs for brokers in the cluster are:'],
  }),
  ...departing('a user may get both kinds of credentials at once', {
    'kafka-configs --entity-type users --entity-name ann --alter --add-config SCRAM-SHA-256=[iterations=8192,password=secret],SCRAM-SHA-512=[password=secret]': ['Completed updating config for user ann.'],
  }),
  ...departing('there are no quotas', {
    ...configsRefused('UnsupportedVersionException', '--entity-type users --entity-name ann --alter --add-config producer_byte_rate=1024', '--entity-type clients --entity-name app --alter --add-config consumer_byte_rate=2048', '--entity-type ips --entity-name 127.0.0.1 --alter --add-config connection_creation_rate=2048'),
    'kafka-configs --entity-type clients --entity-name app --describe': [],
  }),
  ...departing('metrics of clients are not collected', {
    ...configsRefused('InvalidRequestException', '--entity-type client-metrics --entity-name all --alter --add-config interval.ms=10000'),
    'kafka-configs --entity-type client-metrics --describe': [],
    'kafka-client-metrics --list': [],
    'kafka-client-metrics --alter --name all --interval 30000 --metrics org.apache.kafka.producer.': ['Error while executing client metrics command : This broker collects no metrics of clients.', 'exit 1'],
    'kafka-client-metrics --describe --name all': ["The client metric resource all doesn't exist and doesn't have dynamic config."],
    'kafka-client-metrics --delete --name all': ['Error while executing client metrics command : This broker collects no metrics of clients.', 'exit 1'],
  }),
  ...departing('there is one broker', {
    'kafka-cluster unregister --id 7': ['The target cluster does not support the broker unregistration API.'],
  }),
  ...departing('features stay as they are', {
    'kafka-features downgrade --feature transaction.version=1 --dry-run': ['Can not downgrade transaction.version to 1. The update failed for all features since the following feature had an error: Invalid update version 1 for feature transaction.version. Broker 1 keeps it at 2.', '1 out of 1 operation(s) failed.', 'exit 1'],
  }),
  ...departing('there are no delegation tokens', {
    'kafka-delegation-tokens --create --max-life-time-period -1 --command-config @/none.properties': ['Calling create token operation with renewers :[] , max-life-time-period :-1', error('UnsupportedVersionException'), ...thrown('UnsupportedVersionException'), 'exit 1'],
    'kafka-delegation-tokens --describe --command-config @/none.properties': ['Calling describe token operation for current user.', error('UnsupportedVersionException'), ...thrown('UnsupportedVersionException'), 'exit 1'],
  }),
  ...departing('there is nobody to throttle', {
    'kafka-reassign-partitions --execute --reassignment-json-file @/reassign.json --throttle 1000000': [
      'Current partition replica assignment',
      '{"version":1,"partitions":[{"topic":"tools","partition":0,"replicas":[1],"log_dirs":["LOG"]}]}',
      'Save this to use as the --reassignment-json-file option during rollback',
      'Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.',
      `Error: ${error('InvalidConfigurationException')}`,
      ...thrown('InvalidConfigurationException'),
      'exit 1',
    ],
    'kafka-configs --entity-type brokers --entity-name 1 --describe (2)': ['Dynamic configs for broker 1 are:'],
  }),
  ...departing('a setting that a broker has no name for is its own synonym', {
    'kafka-configs --entity-type topics --entity-name tools --describe': [
      'Dynamic configs for topic tools are:',
      'follower.replication.throttled.replicas= sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:follower.replication.throttled.replicas=, DEFAULT_CONFIG:follower.replication.throttled.replicas=}',
      'leader.replication.throttled.replicas=0:1 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:leader.replication.throttled.replicas=0:1, DEFAULT_CONFIG:leader.replication.throttled.replicas=}',
      'retention.ms=-1 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=-1, STATIC_BROKER_CONFIG:log.retention.ms=604800000, DEFAULT_CONFIG:log.retention.hours=168}',
    ],
  }),
  ...departing('there are no share groups', {
    'kafka-share-groups --describe --group absent': [`Error: Executing share group command failed due to ${error('UnsupportedVersionException')}`, ...thrown('UnsupportedVersionException')],
    'kafka-share-groups --describe --group console': [`Error: Executing share group command failed due to ${error('UnsupportedVersionException')}`, ...thrown('UnsupportedVersionException')],
    'kafka-share-groups --reset-offsets --group absent --to-earliest --dry-run --topic tools': ['The node does not support SHARE_GROUP_DESCRIBE', 'exit 1'],
  }),
  ...departing('there are no streams groups', {
    'kafka-streams-groups --describe --group absent': [`Error: Executing streams group command failed due to ${error('UnsupportedVersionException')}`, ...thrown('UnsupportedVersionException'), 'exit 1'],
    'kafka-streams-groups --describe --group console': [`Error: Executing streams group command failed due to ${error('UnsupportedVersionException')}`, ...thrown('UnsupportedVersionException'), 'exit 1'],
    'kafka-streams-groups --reset-offsets --group absent --to-earliest --dry-run --all-input-topics': [
      `Error: Executing streams group command failed due to java.util.concurrent.ExecutionException: ${error('UnsupportedVersionException')}`,
      `java.lang.RuntimeException: java.util.concurrent.ExecutionException: ${error('UnsupportedVersionException')}`,
      `Caused by: java.util.concurrent.ExecutionException: ${error('UnsupportedVersionException')}`,
      `Caused by: ${error('UnsupportedVersionException')}`,
      'exit 1',
    ],
  }),
  ...departing('a group is written when its first generation is complete, not already when it is made', {
    'kafka-console-consumer --topic __consumer_offsets --from-beginning --timeout-ms 3000 --formatter org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter': [
      '{"key":{"type":2,"data":{"group":"live-classic"}},"value":{"version":3,"data":{"protocolType":"consumer","generation":1,"protocol":"range","leader":"instance-ID","currentStateTimestamp":TIME,"members":[{"memberId":"instance-ID","groupInstanceId":"instance","clientId":"reader","clientHost":"/127.0.0.1","rebalanceTimeout":300000,"sessionTimeout":45000,"subscription":"AAMAAAABAAV0b29sc/////8AAAAA////////","assignment":"AAMAAAABAAV0b29scwAAAAIAAAAAAAAAAf////8="}]}}}',
    ],
  }),
}

function departing(because: string, answers: Readonly<Record<string, readonly string[]>>): Departures {
  return Object.fromEntries(Object.entries(answers).map(([commandLine, answer]) => [commandLine, { because, answer }]))
}

/** What kafka-configs prints when the broker refuses. */
function configsRefused(name: string, ...options: readonly string[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(options.map(given => [`kafka-configs ${given}`, [`Error while executing config command with args '--bootstrap-server BROKER ${given}'`, ...thrown(name), 'exit 1']]))
}

function thrown(name: string): readonly string[] {
  return [`java.util.concurrent.ExecutionException: ${error(name)}`, `Caused by: ${error(name)}`]
}

function error(name: string): string {
  return `org.apache.kafka.common.errors.${name}`
}
