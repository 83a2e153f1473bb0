// Runs the stories of clients in other languages (clients/) against a broker.

import { join } from 'node:path'
import { npmClients } from './npm-clients.ts'
import { runProgram } from './program.ts'
import type { PypiClients } from './pypi-clients.ts'

/** What a program of Python's clients prints: PROGRAM BOOTSTRAP TOPIC. @throws MillraceError */
export async function pythonClient(program: string, bootstrap: string, topic: string): Promise<string> {
  const hint = 'Install Python and its clients (Debian: apt-get install python3-confluent-kafka python3-kafka).'
  // Not the first python3 of the path, which may know nothing of Debian's packages.
  return (await runProgram('/usr/bin/python3', ['-B', pathOf(program), bootstrap, topic], { hint })).toString()
}

/** The same with the newest clients of PyPI. @throws MillraceError */
export async function newestPythonClient({ python, folder }: PypiClients, program: string, bootstrap: string, topic: string): Promise<string> {
  return (await runProgram(python, ['-B', pathOf(program), bootstrap, topic], { env: { PYTHONPATH: folder } })).toString()
}

/** What a program of npm's clients prints: PROGRAM BOOTSTRAP TOPIC. @throws MillraceError */
export async function javascriptClient(program: string, bootstrap: string, topic: string): Promise<string> {
  const MODULES = await npmClients(['kafkajs@2.2.4', '@platformatic/kafka@1.35.0'])
  return (await runProgram(process.execPath, ['--no-warnings', pathOf(program), bootstrap, topic], { env: { MODULES } })).toString()
}

function pathOf(program: string): string {
  return join(import.meta.dirname, 'clients', program)
}
