// Removes the folders named, so that a build holds nothing of a file that is gone.

import { rmSync } from 'node:fs'

for (const folder of process.argv.slice(2)) rmSync(folder, { recursive: true, force: true })
