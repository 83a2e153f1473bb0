// Patterns for topic names agree with JavaScript's on whole names, and take no longer where those explode.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { topicPattern, type TopicPattern } from '../../../broker/kernel/topic-pattern.ts'

function pattern(text: string): TopicPattern {
  const found = topicPattern(text)
  if (typeof found === 'string') throw new Error(found)
  return found
}

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\.', '\\d', '\\w', '[a-c1]', '-', '^', '$')
const { regex } = fc.letrec<{ regex: string }>(tie => ({
  regex: fc.oneof(
    { maxDepth: 3 },
    atom,
    fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => a + b),
    fc.tuple(tie('regex'), tie('regex')).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie('regex'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}')).map(([a, many]) => `(?:${a})${many}`),
  ),
}))

test('agrees with JavaScript', () => {
  fc.assert(fc.property(regex, fc.array(fc.stringMatching(/^[abc1.-]{0,6}$/), { maxLength: 20 }), (text, names) => {
    const [ours, theirs] = [pattern(text), new RegExp(`^(?:${text})$`)]
    for (const name of names) expect([text, name, ours(name)]).toEqual([text, name, theirs.test(name)])
  }), { numRuns: 500 })
})

test('a pattern that explodes elsewhere is matched at once', () => {
  expect(pattern('(a+)+b')('a'.repeat(249))).toBe(false)
  expect(pattern('(a*)*(a|aa)+')('a'.repeat(249))).toBe(true)
})

test.each(['(', 'a)', '[a', '*a', 'a{9999}', '\\', '\\q', '(?=a)', '[b-a]', '((a{100}){100}){100}', '((((){1000}){1000}){1000}){1000}'])('%s is refused with a sentence', text => {
  expect(topicPattern(text)).toMatch(/\.$/)
})
