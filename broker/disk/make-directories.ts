// Directories that are made with all of their parents, one by one: Node's own way does not end where one can be neither found nor made, as below /proc.

import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** As `mkdir -p`. `mode`: of those that are made. @throws what the file system says of the first that cannot be made */
export function makeDirectories(directory: string, mode = 0o777): void {
  const missing: string[] = []
  for (let path = resolve(directory); !isThere(path); path = dirname(path)) missing.push(path)
  for (const path of missing.reverse()) make(path, mode)
  // A file of that name is no directory.
  if (missing.length === 0 && !statSync(directory).isDirectory()) mkdirSync(directory, mode)
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined || dirname(path) === path
}

/** Another process may have been first. */
function make(path: string, mode: number): void {
  try {
    mkdirSync(path, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error
  }
}
