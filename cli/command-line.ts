// The command line: what can be typed, its help, and which module does it. Each command's module loads when it is used.

import { Command, Option } from 'commander'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConsumeOptions } from './commands/consume.ts'
import type { ProduceOptions } from './commands/produce.ts'
import type { RunCommandOptions } from './commands/run.ts'
import type { BrokerCommandOptions } from './commands/broker.ts'
import type { DescribeCommandOptions } from './commands/describe.ts'
import { configsCommand, groupsCommand, recordsCommand, topicsCommand, transactionsCommand } from './cluster-commands.ts'
import { collect, withPlace } from './command-options.ts'
import { PACKAGE_FOLDER } from './place/package-place.ts'
import type { Terminal } from './terminal/terminal.ts'

export function commandLine(terminal: Terminal): Command {
  const program = new Command('millrace')
    .description('Stream processing for TypeScript, and the log to run it on.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'say what can be typed')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'millrace: ')) })
    .addHelpText('after', EXAMPLES)
  const commands = [runCommand, describeCommand, brokerCommand, topicsCommand, produceCommand, consumeCommand, groupsCommand, configsCommand, recordsCommand, transactionsCommand, demoCommand]
  for (const command of commands) command(program, terminal)
  return program
}

const EXAMPLES = `
Examples:
  $ millrace demo                                          real flights, right now
  $ millrace run word-count.ts --input sentences=page.txt --until-idle
  $ millrace describe word-count.ts
  $ millrace broker --listen 127.0.0.1:9092                a broker for any Kafka client
  $ millrace consume word-counts --from-beginning --until-end --value-serde int64
`

function packageVersion(): string {
  return (JSON.parse(readFileSync(join(PACKAGE_FOLDER, 'package.json'), 'utf8')) as { version: string }).version
}

function runCommand(program: Command, terminal: Terminal): void {
  withPlace(program.command('run'))
    .description('run a topology script')
    .argument('<script>', 'a TypeScript or JavaScript file that exports a topology or an application')
    .option('--application-id <id>', "name of the application: its group, its state, its own topics (default: the script's, or its file name)")
    .option('--input <topic=file>', 'feed a file (NDJSON, CSV or lines; - is standard input) to a topic; with ,key=FIELD ,timestamp=FIELD ,at=TIME ,format=FORMAT behind the file', collect)
    .option('--no-input', 'feed nothing, also not what the script names')
    .addOption(new Option('--input-format <format>', 'of the --input files (default: by their endings)').choices(['ndjson', 'csv', 'lines']))
    .option('--key <[topic=]field>', 'the field that is the key of the records fed', collect)
    .option('--timestamp <[topic=]field>', 'the field that is their event time: milliseconds, or date and time, UTC unless it says otherwise', collect)
    .option('--output <topic[=file]>', "print a topic's records as NDJSON, or write them to a file (default: print all that the topology writes)", collect)
    .option('--no-output', 'print nothing')
    .option('--partitions <count>', 'of topics that do not exist yet (default: 4)')
    .option('--listen <host:port>', 'serve the embedded log to other Kafka clients meanwhile; port 0 takes a free one')
    .option('--until-idle', 'end when all input is processed and committed')
    .addHelpText(
      'after',
      `
A file is fed once: the next run goes on where it stopped, in every respect. Remove the data directory to begin anew.

Examples:
  $ millrace run word-count.ts --input sentences=page.txt --until-idle
  $ millrace run flights.ts --input airports=airports.csv,key=iata,at=0 --input flights=flights.ndjson,key=origin,timestamp=date
  $ tail -f access.log | millrace run hits.ts --input lines=-
  $ millrace run word-count.ts --bootstrap localhost:9092 --no-output
`,
    )
    .action(async (script: string, options: RunCommandOptions) => (await import('./commands/run.ts')).run(script, options, terminal))
}

function describeCommand(program: Command, terminal: Terminal): void {
  program
    .command('describe')
    .description('show the topology of a script: subtopologies, sources, operators, stores, sinks')
    .argument('<script>')
    .addOption(new Option('--format <format>', 'how to show it').choices(['text', 'kafka', 'mermaid', 'json']).default('text'))
    .option('--verbose', 'show whole stacks when something fails')
    .action(async (script: string, options: DescribeCommandOptions) => (await import('./commands/describe.ts')).describe(script, options, terminal))
}

function brokerCommand(program: Command, terminal: Terminal): void {
  program
    .command('broker')
    .description('serve a data directory to Kafka clients')
    .option('--listen <[name://]host:port>', 'where to listen; port 0 takes a free one; several times with a name for each, which listener.name.NAME.… sets up (default: 127.0.0.1:9092)', collect)
    .option('--advertise <[name://]host:port>', 'where clients are told to find it, if not there: behind a container or NAT (advertised.listeners)', collect)
    .option('--data <directory>', 'where the log is kept (default: .millrace)')
    .option('--memory', 'keep it in memory instead: gone with the process, for tests')
    .option('--metrics <[host:]port>', 'serve metrics for Prometheus there (/metrics), and /healthz and /ready')
    .option('--users <file>', 'who may log in: a line NAME:PASSWORD for each; everybody else is sent away')
    .option('--tls-cert <file>', 'serve TLS with this certificate (PEM)')
    .option('--tls-key <file>', 'and its private key (PEM)')
    .option('--tls-ca <file>', 'take only clients with a certificate signed by one of these (PEM)')
    .option('--authorizer', 'access rules (ACLs) say who may do what; --super-users makes the first ones')
    .option('--super-users <names>', 'who may do everything: User:alice;User:bob')
    .option('--set <name=value>', "a broker setting, by Kafka's name", collect)
    .addOption(new Option('--log-format <format>', 'of what happens, on standard error (default: text on a terminal, else json)').choices(['json', 'text']))
    .addOption(new Option('--log-level <level>', 'what is less grave is not said').choices(['info', 'warn', 'error']).default('info'))
    .option('--verbose', 'show whole stacks when something fails')
    .option('--config <file>', "Java properties with broker settings, such as Apache Kafka's server.properties; --set is stronger")
    .option('--help-settings', 'list all broker settings: what they mean, their defaults, and which can be changed while the broker runs')
    .option('--json', 'with --help-settings: one JSON object for each')
    .addHelpText('after', '\nExamples:\n  $ millrace broker --set num.partitions=4\n  $ millrace broker --listen INSIDE://0.0.0.0:9092 --listen OUTSIDE://0.0.0.0:29092 --advertise INSIDE://kafka:9092 --advertise OUTSIDE://localhost:29092\n  $ kcat -b 127.0.0.1:9092 -L\n')
    .action(async (options: BrokerCommandOptions) => (await import('./commands/broker.ts')).broker(options, terminal))
}

function produceCommand(program: Command, terminal: Terminal): void {
  withRecords(withPlace(program.command('produce')))
    .description('write standard input to a topic, one record a line')
    .argument('<topic>')
    .option('--partition <number>', 'write all to this partition')
    .option('--header <name=value>', 'give every record this header, behind those it has', collect)
    .addHelpText(
      'after',
      `
An NDJSON line has value, and may have key, timestamp, headers ([["name","value"], …]) and partition. A value of null is a tombstone;
strings are written as they are, everything else as JSON, {"base64":"…"} as those bytes.

Examples:
  $ echo '{"key":"a","value":{"n":1}}' | millrace produce events --bootstrap localhost:9092
  $ millrace produce sentences --format text < page.txt
  $ echo 'ann:one tea' | millrace produce orders --format text --key-separator : --header source=shell
`,
    )
    .action(async (topic: string, options: ProduceOptions) => (await import('./commands/produce.ts')).produce(topic, options, terminal))
}

function consumeCommand(program: Command, terminal: Terminal): void {
  withRecords(withPlace(program.command('consume')))
    .description('write the records of a topic to standard output, one a line')
    .argument('<topic>')
    .option('--from-beginning', 'begin with the first record instead of the next one (with --group: where it has committed nothing)')
    .option('--until-end', 'stop behind what is there now')
    .option('--group <id>', 'read as a member of a consumer group, and commit')
    .option('--max <count>', 'stop after so many records')
    .option('--partition <number>', 'read only this partition')
    .option('--offset <number>', 'begin at this offset; negative: so many before the end')
    .option('--from <time>', 'begin with the first record at or after a time, UTC unless it says otherwise; or so long ago: 30m, 1d12h')
    .option('--read-committed', 'nothing of transactions that were aborted or are open')
    .addHelpText('after', '\nExamples:\n  $ millrace consume word-counts --from-beginning --until-end --value-serde int64\n  $ millrace consume events --from 15m --bootstrap localhost:9092\n  $ millrace consume events --bootstrap localhost:9092 --group audit --format text\n')
    .action(async (topic: string, options: ConsumeOptions) => (await import('./commands/consume.ts')).consume(topic, options, terminal))
}

function demoCommand(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .description('real flights and airports, a real topology, an answer in seconds')
    .option('--verbose', 'say more')
    .action(async (options: { verbose?: boolean }) => (await import('./commands/demo.ts')).demo(options, terminal))
}

function withRecords(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'of the lines').choices(['ndjson', 'text']).default('ndjson'))
    .option('--key-separator <text>', 'text only: stands between key and value (default: no keys)')
    .option('--key-serde <name>', 'string, json, int32, int64, float64, boolean, uuid, bytes (default: JSON where it is that, else text)')
    .option('--value-serde <name>', 'the same for values')
}
