/**
 * `~SEQ(var, [start, [step,]] end) text` and `~LST(var, …) text`: the text again for each value. What is
 * parsed here is only the head; the reader of lines binds the variables and replays the rest.
 */
import { slice, type Text, trim } from './source.ts'

/** The variables of one turn. */
type Binding = readonly (readonly [name: string, value: string])[]

export type Repetition = {
  readonly rest: Text
  readonly turns: number
  binding(turn: number): Binding
}

/** A string says what is wrong. */
export type ParsedRepetition = Repetition | string

const head = /^~(?:SEQ(x?)|LST)[ \t]*\(/

/** `expand` replaces references in the numbers of a sequence (a list keeps them for its text). */
export function parseRepetition(source: Text, expand: (text: string) => string): ParsedRepetition {
  const start = head.exec(source.text)
  if (start === null) return 'a variable and values in parentheses must follow'
  const from = start[0].length
  const to = source.text.indexOf(')', from)
  if (to < 0) return "the ')' is missing"
  const operands = source.text.slice(from, to)
  const rest = trim(slice(source, to + 1))
  return source.text.startsWith('~LST')
    ? parseList(operands, rest)
    : parseSequence(operands, rest, start[1] === 'x', expand)
}

function parseSequence(
  operands: string,
  rest: Text,
  hex: boolean,
  expand: (text: string) => string,
): ParsedRepetition {
  const comma = operands.indexOf(',')
  if (comma < 0) return 'it needs a variable and the number to end with'
  const name = operands.slice(0, comma).trim()
  if (!isName(name)) return `'${name}' cannot be the name of a variable`
  const written = expand(operands.slice(comma + 1))
    .split(',')
    .map((part) => part.trim())
  const numbers = written.map(parseNumber)
  const bad = numbers.indexOf(null)
  if (bad >= 0) return `'${written[bad] ?? ''}' is not a number`
  if (numbers.length > 3) return 'it takes a start, a step and an end, no more'
  const { start, step, end } = range(numbers.map((n) => n ?? 0))
  if (step === 0 || (end - start) * step < 0)
    return `steps of ${step} do not lead from ${start} to ${end}`
  if (hex && (start < 0 || end < 0)) return 'hexadecimal is for numbers from 0 on'
  return {
    rest,
    turns: Math.floor((end - start) / step) + 1,
    binding: (turn) => [[name, (start + turn * step).toString(hex ? 16 : 10)]],
  }
}

function range(numbers: readonly number[]): { start: number; step: number; end: number } {
  const [a = 0, b = 0, c = 0] = numbers
  if (numbers.length === 1) return { start: a < 0 ? -1 : 1, step: a < 1 ? -1 : 1, end: a }
  if (numbers.length === 2) return { start: a, step: a <= b ? 1 : -1, end: b }
  return { start: a, step: b, end: c }
}

/** As strtol with base 0: decimal, 0x hexadecimal, 0 octal. */
function parseNumber(text: string): number | null {
  const found = /^([+-]?)(?:(0[xX][0-9a-fA-F]{1,12})|(0[0-7]{1,16})|(0|[1-9]\d{0,14}))$/.exec(text)
  if (found === null) return null
  const [, sign, hex, octal, decimal] = found
  const size = octal === undefined ? Number(hex ?? decimal) : Number.parseInt(octal, 8)
  return sign === '-' ? -size : size
}

function parseList(operands: string, rest: Text): ParsedRepetition {
  const tuples = parseTuples(operands)
  if (typeof tuples === 'string') return tuples
  const [names = [], ...values] = tuples
  const bad = names.find((name) => !isName(name))
  if (bad !== undefined) return `'${bad}' cannot be the name of a variable`
  if (values.length === 0) return 'it needs at least one value'
  if (values.some((tuple) => tuple.length > names.length))
    return 'it has more values than variables'
  return {
    rest,
    turns: values.length,
    binding: (turn) => names.map((name, i) => [name, values[turn]?.[i] ?? ''] as const),
  }
}

/** `a, {b, c}, d` → [[a], [b, c], [d]]. */
function parseTuples(text: string): readonly (readonly string[])[] | string {
  const tuples: string[][] = []
  // Each turn takes one value and the comma before it, so the first is given one.
  for (let rest = `,${text}`; rest !== ''; ) {
    const found = /^,\s*(?:\{([^{}]*)\}|([^{},]*))\s*/.exec(rest)
    if (found === null) return `a comma must stand before '${rest}'`
    const tuple = (found[1]?.split(',') ?? [found[2] ?? '']).map((part) => part.trim())
    const bad = tuple.find((part) => /\s/.test(part))
    if (bad !== undefined) return `'${bad}' cannot be one value`
    tuples.push(tuple)
    rest = rest.slice(found[0].length)
  }
  return tuples
}

const isName = (text: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
