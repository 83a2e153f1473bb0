// What a line of the log says of a thing that happened.

import { expect, test } from 'vitest'
import { limitedLogger } from '../../cli/terminal/limited-logger.ts'
import { logLines, type LogFormat, type LogLevel } from '../../cli/terminal/log-lines.ts'
import { VirtualClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'

function lines(format: LogFormat, level: LogLevel = 'info') {
  const written: string[] = []
  return { written, logger: logLines({ format, level, clock: new VirtualClock(1_795_508_113_211), write: line => void written.push(line) }) }
}

test('json: one object a line, whatever the fields are', () => {
  const { written, logger } = lines('json')
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  logger.info('broker started', { listen: '127.0.0.1:9092', partitions: 3, level: 'mine', text: 'a\nb' })
  logger.error('failed', { cause: new MillraceError('DISK_FULL', 'No room.'), big: 5n, none: undefined, circle })
  expect(written[0]).toBe('{"time":"2026-11-24T08:15:13.211Z","level":"info","message":"broker started","listen":"127.0.0.1:9092","partitions":3,"field_level":"mine","text":"a\\nb"}')
  expect(JSON.parse(written[1]!)).toMatchObject({ level: 'error', cause: { code: 'DISK_FULL', message: 'No room.' }, big: '5', circle: '[object Object]' })
  expect(written.join('')).not.toContain('\n')
})

test('text: a line that a person reads and nobody can break', () => {
  const { written, logger } = lines('text')
  logger.warn('slow request', { api: 'Produce', clientId: 'x" y\n2026 error forged', ms: 1200, none: null })
  expect(written).toEqual(['2026-11-24T08:15:13.211Z warn  slow request api=Produce clientId="x\\" y\\n2026 error forged" ms=1200 none=null'])
})

test('text: a terminal obeys no client, and lines are not turned round', () => {
  const { written, logger } = lines('text')
  logger.warn('slow request', { clientId: '\u001b[2J\u009b2J\u202eevil\u2028' })
  expect(written[0]).toBe(String.raw`2026-11-24T08:15:13.211Z warn  slow request clientId="\u001b[2J\u009b2J\u202eevil\u2028"`)
})

test('what is less grave than asked is not written', () => {
  const { written, logger } = lines('text', 'error')
  logger.info('a')
  logger.warn('b')
  logger.error('c')
  expect(written).toHaveLength(1)
})

test('of a message that comes without end some lines are written, and how many were left out', () => {
  const clock = new VirtualClock(0)
  const written: string[] = []
  const logger = limitedLogger(logLines({ format: 'text', level: 'info', clock, write: line => void written.push(line.slice(25)) }), clock)
  for (let i = 0; i < 1000; i++) logger.warn('connection closed', { i })
  logger.warn('another thing')
  expect(written).toHaveLength(21)
  clock.advance(1000)
  expect(written.slice(19)).toEqual(['warn  connection closed i=19', 'warn  another thing', 'warn  connection closed omittedLines=980'])
  logger.warn('connection closed', { i: 'again' })
  expect(written.at(-1)).toBe('warn  connection closed i=again')
})
