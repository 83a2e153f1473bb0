// Directories with their parents: made once, by whoever comes first, and refused where there can be none.

import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeDirectories } from '../../../broker/disk/make-directories.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-test-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('all that are missing are made, with their mode, and those that are there stay', () => {
  makeDirectories(join(root, 'a'))
  const mode = statSync(join(root, 'a')).mode
  makeDirectories(join(root, 'a', 'b', 'c'), 0o700)
  makeDirectories(join(root, 'a', 'b', 'c'))
  expect(statSync(join(root, 'a')).mode).toBe(mode)
  expect(['b', 'b/c'].map(name => statSync(join(root, 'a', name)).mode & 0o777)).toEqual([0o700, 0o700])
})

test('a link to a directory is one, a file is none, nor is there anything below it', () => {
  symlinkSync(root, join(root, 'link'))
  makeDirectories(join(root, 'link', 'through'))
  expect(existsSync(join(root, 'through'))).toBe(true)
  writeFileSync(join(root, 'file'), '')
  expect(() => makeDirectories(join(root, 'file'))).toThrow('EEXIST')
  expect(() => makeDirectories(join(root, 'file', 'below'))).toThrow('ENOTDIR')
})
