// Where the benchmark that is shared with Apache Kafka lies, and ports for what it compares.

import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'

/** Ends the process with a message if it is not here. */
export function findBench(): string {
  const places = [process.env['MILLRACE_BENCH'], resolve(process.cwd(), '../shared/bench')].filter(place => place !== undefined)
  const found = places.find(place => existsSync(join(place, 'run')))
  if (found !== undefined) return found
  console.error(`bench: the benchmark is not here (looked in ${places.join(', ')}). It compares with Apache Kafka and is not part of the package; set MILLRACE_BENCH to its folder.`)
  process.exit(2)
}

export function freePort(): Promise<number> {
  return new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })
}
