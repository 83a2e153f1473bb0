// An application as a script exports it: its topology, what it is to be run with, and the files that feed it when nobody says otherwise.

import type { Timestamp } from '../core/record.ts'
import type { ApplicationSettings } from './application-settings.ts'

export type InputFormat = 'ndjson' | 'csv' | 'lines'

/** A file that feeds a topic, one record for each line (or CSV row). */
export interface InputSource {
  /** Relative to the script; on the command line, to the working directory. */
  readonly file: string
  /** Default: by the file's ending, `lines` where that says nothing. */
  readonly format?: InputFormat
  /** The field whose value is the record's key; `a.b` looks inside. Default: no key. */
  readonly key?: string
  /**
   * The field that holds the event time: milliseconds since the epoch, or a date and time (ISO 8601, also with slashes and without
   * seconds; UTC where it names no zone). Default: `at`, or else the wall time of reading.
   */
  readonly timestamp?: string
  /** One event time for all its records, as for a table that was there before everything else. */
  readonly at?: Timestamp | string
}

type FromCommandLine = 'log' | 'dataDirectory' | 'bootstrapServers'

export interface ApplicationDefinition extends Omit<ApplicationSettings, FromCommandLine | 'applicationId'> {
  /** Default: the script's file name without its ending. */
  readonly applicationId?: string
  /**
   * By topic. Records are fed oldest first, in the order given where times are equal, and the lines of one file stay in order:
   * so a table `at` 0 is complete before the stream that is joined with it begins.
   */
  readonly inputs?: Readonly<Record<string, InputSource>>
  /** Topics to print when the command line names none. Default: every sink's. */
  readonly outputs?: readonly string[]
}

/** Gives what it got; it is here for its types: `export default defineApplication({ … })`. */
export function defineApplication(definition: ApplicationDefinition): ApplicationDefinition {
  return definition
}
