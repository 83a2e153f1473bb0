// Where this package is installed, however its files were put together.

import { existsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const PACKAGE_FOLDER: string = folderAbove(fileURLToPath(import.meta.url))

/** What was built of it; ends with a separator. */
export const BUILT_FOLDER: string = join(PACKAGE_FOLDER, 'dist') + sep

function folderAbove(path: string): string {
  const folder = dirname(path)
  return existsSync(join(folder, 'package.json')) ? folder : folderAbove(folder)
}
