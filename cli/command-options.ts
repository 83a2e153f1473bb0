// Options that several commands share.

import type { Command } from 'commander'

export function withPlace(command: Command): Command {
  return command
    .option('--bootstrap <host:port>', 'a Millrace or Apache Kafka cluster (default: the log embedded in --data)')
    .option('--command-config <file>', "properties of a Kafka client, for a cluster that asks who one is: security.protocol, sasl.mechanism, sasl.jaas.config, ssl.*")
    .option('--data <directory>', 'where log and state are kept (default: .millrace)')
    .option('--verbose', 'say more, and show whole stacks when something fails')
}

export function withJson(command: Command, of: string): Command {
  return command.option('--json', `one JSON object for each ${of}`)
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
