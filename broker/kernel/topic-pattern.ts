// Patterns for names of topics (RE2's syntax without its Unicode classes), matched in time linear in the name: a client's pattern cannot hold up a broker.

/** Answers whether a whole name matches. */
export type TopicPattern = (name: string) => boolean

const maxPatternLength = 1_000
const maxRepeat = 1_000
const maxStates = 20_000
const tooMuch = 'The pattern repeats too much.'

type Test = (code: number) => boolean

/** A state of the machine: one that reads a character, one that goes two ways, an end of the name, or the match. */
type State =
  | { readonly kind: 'read'; readonly test: Test; next: number }
  | { readonly kind: 'fork'; a: number; b: number }
  | { readonly kind: 'begin' | 'end'; next: number }
  | { readonly kind: 'match' }

/** What is wrong with the pattern, as a sentence, or the pattern. */
export function topicPattern(text: string): TopicPattern | string {
  if (text.length > maxPatternLength) return `A pattern is at most ${maxPatternLength} characters long.`
  try {
    return matcher(new PatternCompiler(text).compile())
  } catch (error) {
    if (error instanceof PatternProblem) return error.message
    throw error
  }
}

class PatternProblem extends Error {}

function matcher({ states, start }: { readonly states: readonly State[]; readonly start: number }): TopicPattern {
  return name => {
    let active = follow(states, [start], 0, name.length)
    for (let at = 0; at < name.length && active.length > 0; at++) {
      const code = name.charCodeAt(at)
      const next: number[] = []
      for (const index of active) {
        const state = states[index]!
        if (state.kind === 'read' && state.test(code)) next.push(state.next)
      }
      active = follow(states, next, at + 1, name.length)
    }
    return active.some(index => states[index]!.kind === 'match')
  }
}

/** The states that read or match, which can be reached without reading. */
function follow(states: readonly State[], from: readonly number[], at: number, length: number): readonly number[] {
  const seen = new Set<number>()
  const stack = [...from]
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (seen.has(index)) continue
    seen.add(index)
    const state = states[index]!
    if (state.kind === 'fork') stack.push(state.a, state.b)
    else if ((state.kind === 'begin' && at === 0) || (state.kind === 'end' && at === length)) stack.push(state.next)
  }
  return [...seen].filter(index => states[index]!.kind === 'read' || states[index]!.kind === 'match')
}

/** Builds a part of the machine that goes on at `next`; answers where it begins. */
type Part = (next: number) => number

class PatternCompiler {
  readonly #text: string
  readonly #states: State[] = [{ kind: 'match' }]
  /** Counted apart: copies of nothing make no states, and yet take time. */
  #copies = 0
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  compile(): { readonly states: readonly State[]; readonly start: number } {
    const whole = this.#alternatives()
    if (this.#at < this.#text.length) throw new PatternProblem(`There is a ) too many in ${this.#text}.`)
    return { start: whole(0), states: this.#states }
  }

  #add(state: State): number {
    if (this.#states.length >= maxStates) throw new PatternProblem(tooMuch)
    return this.#states.push(state) - 1
  }

  #alternatives(): Part {
    let whole = this.#sequence()
    while (this.#take('|')) {
      const [left, right] = [whole, this.#sequence()]
      whole = next => this.#add({ kind: 'fork', a: left(next), b: right(next) })
    }
    return whole
  }

  #sequence(): Part {
    const parts: Part[] = []
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) parts.push(this.#repeated())
    return next => parts.reduceRight((after, part) => part(after), next)
  }

  #repeated(): Part {
    let part = this.#atom()
    for (;;) {
      const count = this.#count()
      if (count === null) return part
      // Whether few or many are preferred does not matter where only the match counts.
      this.#take('?')
      part = this.#repeat(part, count[0], count[1])
    }
  }

  #count(): readonly [min: number, max: number] | null {
    if (this.#take('*')) return [0, Infinity]
    if (this.#take('+')) return [1, Infinity]
    if (this.#take('?')) return [0, 1]
    const braces = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#text.slice(this.#at))
    if (braces === null) return null
    this.#at += braces[0].length
    const min = Number(braces[1])
    const max = braces[2] === undefined ? min : braces[3] === '' ? Infinity : Number(braces[3])
    if (min > maxRepeat || (max !== Infinity && max > maxRepeat) || max < min) throw new PatternProblem(`The repetition ${braces[0]} is not allowed.`)
    return [min, max]
  }

  #repeat(part: Part, min: number, max: number): Part {
    return next => {
      let start = next
      if (max === Infinity) {
        const fork: State = { kind: 'fork', a: next, b: next }
        start = this.#add(fork)
        fork.b = part(start)
      } else for (let i = min; i < max; i++) start = this.#add({ kind: 'fork', a: next, b: this.#copy(part, start) })
      for (let i = 0; i < min; i++) start = this.#copy(part, start)
      return start
    }
  }

  #copy(part: Part, next: number): number {
    if (++this.#copies > maxStates) throw new PatternProblem(tooMuch)
    return part(next)
  }

  #atom(): Part {
    if (this.#take('(')) return this.#group()
    if (this.#take('[')) return this.#reader(this.#set())
    const character = this.#text[this.#at++]!
    if ('*+?'.includes(character)) throw new PatternProblem(`Nothing stands before ${character} that could be repeated.`)
    if (character === '^') return next => this.#add({ kind: 'begin', next })
    if (character === '$') return next => this.#add({ kind: 'end', next })
    if (character === '.') return this.#reader(code => code !== 10)
    return character === '\\' ? this.#escaped() : this.#reader(equal(character.charCodeAt(0)))
  }

  #group(): Part {
    if (this.#take('?') && !this.#take(':')) {
      const name = /^P?<\w+>/.exec(this.#text.slice(this.#at))
      if (name === null) throw new PatternProblem('Groups with (? are not supported, other than (?: and named ones.')
      this.#at += name[0].length
    }
    const inner = this.#alternatives()
    if (!this.#take(')')) throw new PatternProblem('A ) is missing.')
    return inner
  }

  #escaped(): Part {
    const character = this.#text[this.#at]
    if (character === 'A' || character === 'z') {
      this.#at++
      return next => this.#add({ kind: character === 'A' ? 'begin' : 'end', next })
    }
    return this.#reader(this.#escape())
  }

  #escape(): Test {
    const character = this.#text[this.#at++]
    if (character === undefined) throw new PatternProblem('A pattern cannot end with \\.')
    const known = classes[character.toLowerCase()]
    if (known !== undefined) return character === character.toLowerCase() ? known : code => !known(code)
    if (/[a-z0-9]/i.test(character)) throw new PatternProblem(`The escape \\${character} is not supported.`)
    return equal(character.charCodeAt(0))
  }

  #set(): Test {
    const negated = this.#take('^')
    const tests: Test[] = []
    do tests.push(this.#member())
    while (!this.#take(']'))
    return code => tests.some(test => test(code)) !== negated
  }

  #member(): Test {
    const named = /^\[:(\^?)(\w+):\]/.exec(this.#text.slice(this.#at))
    if (named !== null) return this.#namedSet(named[0], named[1] === '^', named[2]!)
    if (this.#take('\\')) return this.#escape()
    const first = this.#code()
    const isRange = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']'
    if (!isRange) return equal(first)
    this.#at++
    const last = this.#code()
    if (last < first) throw new PatternProblem('A range of characters begins behind its end.')
    return between(first, last)
  }

  #namedSet(text: string, negated: boolean, name: string): Test {
    const test = namedSets[name]
    if (test === undefined) throw new PatternProblem(`The class ${text} is not known.`)
    this.#at += text.length
    return negated ? code => !test(code) : test
  }

  #code(): number {
    if (this.#at >= this.#text.length) throw new PatternProblem('A ] is missing.')
    return this.#text.charCodeAt(this.#at++)
  }

  #reader(test: Test): Part {
    return next => this.#add({ kind: 'read', test, next })
  }

  #take(text: string): boolean {
    if (this.#text[this.#at] !== text) return false
    this.#at++
    return true
  }
}

function equal(wanted: number): Test {
  return code => code === wanted
}

function between(first: number, last: number): Test {
  return code => code >= first && code <= last
}

function like(pattern: RegExp): Test {
  return code => pattern.test(String.fromCharCode(code))
}

const classes: Readonly<Record<string, Test>> = { d: between(48, 57), w: like(/[0-9A-Za-z_]/), s: like(/[\t\n\f\r ]/) }

const namedSets: Readonly<Record<string, Test>> = {
  alnum: like(/[0-9A-Za-z]/), alpha: like(/[A-Za-z]/), digit: between(48, 57), lower: between(97, 122), upper: between(65, 90),
  punct: like(/[!-/:-@[-`{-~]/), space: like(/[\t\n\v\f\r ]/), word: like(/[0-9A-Za-z_]/), xdigit: like(/[0-9A-Fa-f]/),
}
