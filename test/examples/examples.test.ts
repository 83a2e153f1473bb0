// The examples on the embedded log.

import { examplesAreRight } from './example-laws.ts'

examplesAreRight(() => [])
