// The commands that look after a cluster, ours or Apache Kafka's: topics, groups, configs, records, transactions.

import type { Command } from 'commander'
import { collect, withJson, withPlace } from './command-options.ts'
import type { AlterConfigsOptions, ConfigsOptions } from './commands/configs.ts'
import type { GroupsOptions } from './commands/groups.ts'
import type { GroupResetOptions } from './commands/groups-reset.ts'
import type { DeleteRecordsOptions, RecordsOptions } from './commands/records.ts'
import type { CreateTopicsOptions } from './commands/topics.ts'
import type { AbortOptions, TransactionsOptions } from './commands/transactions.ts'
import type { LogPlace } from './terminal/log-connection.ts'
import type { Terminal } from './terminal/terminal.ts'

export function topicsCommand(program: Command, terminal: Terminal): void {
  const topics = program.command('topics').helpCommand(false).description('list, create, describe, alter and delete topics')
  const load = (): Promise<typeof import('./commands/topics.ts')> => import('./commands/topics.ts')
  withPlace(topics.command('list'))
    .description('print the names of all topics')
    .option('--all', 'those of the broker itself, too')
    .action(async (options: LogPlace & { all?: boolean }) => (await load()).listTopics(options, terminal))
  withPlace(topics.command('create'))
    .description('create topics')
    .argument('<name...>')
    .option('--partitions <count>', "(default: the broker's)")
    .option('--replication-factor <count>', "(default: the broker's)")
    .option('--config <name=value>', 'a topic setting, such as retention.ms=-1', collect)
    .option('--if-not-exists', 'leave those that are there already as they are')
    .action(async (names: string[], options: CreateTopicsOptions) => (await load()).createTopics(names, options, terminal))
  withPlace(topics.command('describe'))
    .description('print the partitions of topics (of all, if none is named), with their offsets and replicas')
    .argument('[name...]')
    .option('--json', 'one JSON object for each topic')
    .action(async (names: string[], options: LogPlace & { json?: boolean }) => (await load()).describeTopics(names, options, terminal))
  withPlace(topics.command('alter'))
    .description('give topics more partitions (their settings: millrace configs alter)')
    .argument('<name...>')
    .requiredOption('--partitions <count>', 'how many they have then')
    .action(async (names: string[], options: LogPlace & { partitions: string }) => (await load()).alterTopics(names, options, terminal))
  withPlace(topics.command('delete'))
    .description('delete topics with all they hold')
    .argument('<name...>')
    .option('--if-exists', 'do not mind those that are not there')
    .action(async (names: string[], options: LogPlace & { ifExists?: boolean }) => (await load()).deleteTopics(names, options, terminal))
}

export function groupsCommand(program: Command, terminal: Terminal): void {
  const groups = program.command('groups').helpCommand(false).description('list, describe and delete consumer groups, and let them read on from elsewhere')
  const load = (): Promise<typeof import('./commands/groups.ts')> => import('./commands/groups.ts')
  withJson(withPlace(groups.command('list')), 'group')
    .description('print all groups, with their states')
    .action(async (options: GroupsOptions) => (await load()).listGroups(options, terminal))
  withJson(withPlace(groups.command('describe')), 'group')
    .description('print what groups have read, and how much is left')
    .argument('[name...]')
    .option('--all', 'all groups')
    .option('--members', 'their members instead')
    .action(async (names: string[], options: GroupsOptions & { members?: boolean; all?: boolean }) => (await load()).describeGroups(names, options, terminal))
  withPlace(groups.command('delete'))
    .description('delete groups that have no members, with their offsets')
    .argument('<name...>')
    .action(async (names: string[], options: GroupsOptions) => (await load()).deleteGroups(names, options, terminal))
  withPlace(groups.command('delete-offsets'))
    .description('forget what a group has read of topics')
    .argument('<name>')
    .requiredOption('--topic <name[:partitions]>', 'a topic, or some of its partitions, as events:0,2', collect)
    .action(async (name: string, options: GroupsOptions & { topic: readonly string[] }) => (await load()).deleteOffsets(name, options, terminal))
  resetOffsetsCommand(groups, terminal)
}

function resetOffsetsCommand(groups: Command, terminal: Terminal): void {
  withJson(withPlace(groups.command('reset-offsets')), 'partition')
    .description('let a group without members read on from elsewhere; only says what it would do, unless told to --execute')
    .argument('<name>')
    .option('--topic <name[:partitions]>', 'a topic, or some of its partitions, as events:0,2', collect)
    .option('--all-topics', 'all topics that the group has read')
    .option('--to-earliest', 'to the first record')
    .option('--to-latest', 'to the end')
    .option('--to-current', 'where it is; partitions it has not read to the end')
    .option('--to-offset <number>', 'to an offset')
    .option('--to-datetime <time>', 'to the first record at or after a time, UTC unless it says otherwise')
    .option('--by-duration <span>', 'to a time so long ago: 30m, 1d12h or P1DT12H')
    .option('--shift-by <number>', 'forward, or back where it is negative')
    .option('--from-file <file>', 'lines of topic,partition,offset; or what --json prints')
    .option('--execute', 'do it')
    .addHelpText('after', '\nExamples:\n  $ millrace groups reset-offsets audit --topic events --to-earliest\n  $ millrace groups reset-offsets audit --all-topics --by-duration 2h --execute\n')
    .action(async (name: string, options: GroupResetOptions) => (await import('./commands/groups-reset.ts')).resetOffsets(name, options, terminal))
}

export function configsCommand(program: Command, terminal: Terminal): void {
  const configs = program.command('configs').helpCommand(false).description('show and change the settings of topics, brokers and groups')
  const load = (): Promise<typeof import('./commands/configs.ts')> => import('./commands/configs.ts')
  withJson(withPlace(configs.command('list')), 'setting')
    .description('print every setting of topics and brokers that is not a default')
    .action(async (options: ConfigsOptions) => (await load()).listConfigs(options, terminal))
  withWhose(withJson(withPlace(configs.command('describe')), 'setting'))
    .description('print the settings of topics, brokers or groups that are their own')
    .option('--all', 'the defaults, too')
    .action(async (options: ConfigsOptions & { all?: boolean }) => (await load()).describeConfigs(options, terminal))
  withWhose(withPlace(configs.command('alter')))
    .description('change settings while the brokers run')
    .option('--set <name=value>', 'set one', collect)
    .option('--delete <name>', 'go back to the default', collect)
    .option('--append <name=value>', 'add to a list', collect)
    .option('--subtract <name=value>', 'take from a list', collect)
    .option('--dry-run', 'only say whether it could be done')
    .addHelpText('after', '\nExamples:\n  $ millrace configs alter --topic events --set retention.ms=86400000 --append cleanup.policy=compact\n  $ millrace configs alter --broker all --delete log.retention.ms --bootstrap localhost:9092\n')
    .action(async (options: AlterConfigsOptions) => (await load()).alterConfigs(options, terminal))
}

function withWhose(command: Command): Command {
  return command
    .option('--topic <name>', "a topic's settings", collect)
    .option('--broker <number|all>', "a broker's settings, or those that all brokers share", collect)
    .option('--group <name>', "a group's settings", collect)
}

export function recordsCommand(program: Command, terminal: Terminal): void {
  const records = program.command('records').helpCommand(false).description('see where the records of topics begin and end, and delete old ones')
  const load = (): Promise<typeof import('./commands/records.ts')> => import('./commands/records.ts')
  withJson(withPlace(records.command('offsets')), 'partition')
    .description('print the offset of every partition at a place or a time')
    .argument('<topic[:partitions]...>')
    .option('--at <place>', 'earliest, latest, or a time: the first record at or after it', 'latest')
    .action(async (topics: string[], options: RecordsOptions & { at?: string }) => (await load()).listOffsets(topics, options, terminal))
  withJson(withPlace(records.command('delete')), 'partition')
    .description('delete the oldest records of partitions, for ever')
    .argument('[topic[:partitions]...]')
    .option('--before <offset>', 'those below an offset; end: all that are there')
    .option('--before-datetime <time>', 'those before the first one at or after a time')
    .option('--from-file <file>', 'lines of topic,partition,offset')
    .addHelpText('after', '\nExamples:\n  $ millrace records delete events:0 --before 1000\n  $ millrace records delete events --before end\n')
    .action(async (topics: string[], options: DeleteRecordsOptions) => (await load()).deleteRecords(topics, options, terminal))
}

export function transactionsCommand(program: Command, terminal: Terminal): void {
  const transactions = program.command('transactions').helpCommand(false).description('list and describe transactions, find those that hang, and end them')
  const load = (): Promise<typeof import('./commands/transactions.ts')> => import('./commands/transactions.ts')
  withJson(withPlace(transactions.command('list')), 'transactional id')
    .description('print transactional ids, with their states')
    .option('--state <name>', 'only in this state: Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort', collect)
    .option('--open-for <span>', 'only what has been open for longer: 30s, 15m')
    .action(async (options: TransactionsOptions & { state?: string[]; openFor?: string }) => (await load()).listTransactions(options, terminal))
  withJson(withPlace(transactions.command('describe')), 'transactional id')
    .description('print what is known of transactional ids')
    .argument('<id...>')
    .action(async (ids: string[], options: TransactionsOptions) => (await load()).describeTransactions(ids, options, terminal))
  withJson(withPlace(transactions.command('producers')), 'producer')
    .description('print the producers that partitions remember, with what they have open')
    .argument('<topic[:partitions]...>')
    .action(async (topics: string[], options: TransactionsOptions) => (await load()).describeProducers(topics, options, terminal))
  withJson(withPlace(transactions.command('hanging')), 'producer')
    .description('find transactions that nobody will end, and that keep readers of committed records waiting')
    .argument('[topic[:partitions]...]', 'where to look (default: everywhere)')
    .option('--open-for <span>', 'longer than any transaction may be', '15m')
    .action(async (topics: string[], options: TransactionsOptions & { openFor?: string }) => (await load()).findHanging(topics, options, terminal))
  withPlace(transactions.command('abort'))
    .description('end the open transaction of one partition: for those that hang')
    .argument('<topic:partition>')
    .option('--start-offset <number>', 'the one that begins there')
    .option('--producer <id>', 'the one of this producer')
    .action(async (partition: string, options: AbortOptions) => (await load()).abortTransaction(partition, options, terminal))
}
