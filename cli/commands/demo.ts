// `millrace demo`: runs the example of the flights on a log in a temporary directory and prints what it found as tables.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { DelayReport } from '../demo/delay-report.ts'
import { PACKAGE_FOLDER } from '../place/package-place.ts'
import { connect, terminalLogger } from '../terminal/log-connection.ts'
import type { OutputTarget } from '../output/output-target.ts'
import { Progress } from '../script/progress.ts'
import { ScriptRun, type RunProgress } from '../script/script-run.ts'
import { loadScript } from '../script/script-loader.ts'
import { stopSignal } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { grouped } from '../terminal/text-table.ts'
import { DEFAULT_PARTITIONS, inputsOf } from './run.ts'

const EXAMPLES = join(PACKAGE_FOLDER, 'examples')
const SCRIPT = 'flight-delays.ts'

export async function demo(options: { readonly verbose?: boolean }, terminal: Terminal): Promise<void> {
  const stop = stopSignal(terminal, 'stopping')
  const data = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
  try {
    const script = await loadScript(resolve(EXAMPLES, SCRIPT))
    const report = new DelayReport()
    const logger = terminalLogger(terminal, options.verbose === true)
    const run = await ScriptRun.open({
      script,
      applicationId: script.applicationId,
      place: { data },
      log: await connect({ data }, 'millrace-demo', logger),
      inputs: inputsOf(script, {}),
      outputs: new Map<string, () => Promise<OutputTarget>>([
        ['delays-by-airport', () => Promise.resolve(report.byAirport)],
        ['delays-by-hour', () => Promise.resolve(report.byHour)],
      ]),
      partitions: DEFAULT_PARTITIONS,
      logger,
    })
    const progress = new Progress({ terminal, clock: systemClock, name: script.applicationId, read: () => run.progress() })
    terminal.say(terminal.dim(`feeding ${grouped(20_000)} flights and their airports to ${shown(SCRIPT)}, on a log in ${data}`))
    progress.start()
    let reached: RunProgress & { readonly seconds: number }
    try {
      await run.run(stop, true)
    } finally {
      reached = progress.stop()
    }
    if (!stop.aborted) await terminal.write(page(report, reached, terminal))
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

function page(report: DelayReport, { fed, metrics, seconds }: RunProgress & { readonly seconds: number }, terminal: Terminal): string {
  const time = `${grouped(fed)} records fed, ${grouped(metrics.processed)} processed, ${grouped(metrics.produced)} written, in ${seconds.toFixed(2)} s`
  const next = [
    `npx millrace describe ${shown(SCRIPT)}`,
    `npx millrace run ${shown('word-count.ts')} --until-idle`,
    `npx millrace run ${shown('earthquakes.ts')} --until-idle`,
  ]
  return [
    '',
    ...report.lines(text => terminal.bold(text)),
    '',
    terminal.dim(time),
    '',
    'What to try next',
    ...next.map(command => `  ${command}`),
    `  change ${shown(SCRIPT)} (what is late? 60 minutes?) and run this again`,
    '',
  ].join('\n')
}

/** An example as a person types it here. */
function shown(file: string): string {
  const below = relative(process.cwd(), join(EXAMPLES, file))
  return below.startsWith('..') ? join(EXAMPLES, file) : below
}
