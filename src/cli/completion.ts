/**
 * What may stand at the end of a command line, from the commands' own declarations: whatever --help knows, a shell
 * completes. The shells' scripts ask `vipd complete` and add nothing of their own (completion-scripts.ts).
 */
import type { Argument, Command, Option } from 'commander'
import type { Status } from '../report/status.ts'
import type { Commands } from './command-file.ts'

export type Candidate = { readonly word: string; readonly help: string }

export type Completion = {
  readonly candidates: readonly Candidate[]
  /** What the shell knows best and adds itself. */
  readonly also: 'files' | 'directories' | 'nothing'
}

/** What a running daemon has names of. */
export type Names = Pick<Status, 'instances' | 'groups' | 'checks' | 'bfd'>

/** `runDir`: of the command line, or null for the default. Null: no daemon answers. */
export type AskNames = (runDir: string | null) => Promise<Names | null>

const nothing: Completion = { candidates: [], also: 'nothing' }

/** `words`: those behind `vipd`, the last of them being what is typed now and perhaps empty. */
export async function complete(
  all: Commands,
  words: readonly string[],
  ask: AskNames,
): Promise<Completion> {
  const typed = words.at(-1) ?? ''
  const said = words.slice(0, -1)
  const found = said.length === 0 ? await firstWords(all) : await behind(all, said, typed, ask)
  return { ...found, candidates: found.candidates.filter(({ word }) => word.startsWith(typed)) }
}

async function firstWords(all: Commands): Promise<Completion> {
  const files = await Promise.all(Object.values(all).map((load) => load()))
  const shown = files.filter(({ hidden }) => hidden !== true).map((file) => file.command(all))
  return { candidates: shown.map(commandCandidate), also: 'nothing' }
}

const commandCandidate = (command: Command): Candidate => ({
  word: command.name(),
  help: command.description(),
})

async function behind(
  all: Commands,
  [name = '', ...said]: readonly string[],
  typed: string,
  ask: AskNames,
): Promise<Completion> {
  const load = Object.hasOwn(all, name) ? all[name] : undefined
  if (load === undefined) return nothing
  const line = readLine((await load()).command(all), said)
  if (line.awaits !== null) return operandOf(line.awaits, '')
  if (typed.startsWith('-')) return optionAt(line, typed)
  if (line.command.commands.length > 0)
    return { candidates: line.command.commands.map(commandCandidate), also: 'nothing' }
  const declared = line.command.registeredArguments
  const argument = declared[line.operands.length] ?? variadic(declared.at(-1))
  return argument === undefined ? nothing : argumentOf(argument, line, ask)
}

const variadic = (last: Argument | undefined): Argument | undefined =>
  last?.variadic === true ? last : undefined

type Line = {
  /** The innermost that was named. */
  readonly command: Command
  readonly options: ReadonlyMap<Option, string | null>
  readonly operands: readonly string[]
  /** The option whose operand comes next. */
  readonly awaits: Option | null
}

/** The words behind the command's name, read as commander reads them. */
function readLine(command: Command, words: readonly string[]): Line {
  const inner = command.commands.find((below) => below.name() === words[0])
  if (inner !== undefined) return readLine(inner, words.slice(1))
  const options = new Map<Option, string | null>()
  const operands: string[] = []
  let awaits: Option | null = null
  for (const word of words) {
    if (awaits !== null) {
      options.set(awaits, word)
      awaits = null
    } else if (word.startsWith('-')) {
      const { option, operand, isOpen } = optionIn(command, word)
      if (option !== undefined) options.set(option, operand)
      if (isOpen) awaits = option ?? null
    } else operands.push(word)
  }
  return { command, options, operands, awaits }
}

/** `--option` or `--option=operand`; `isOpen`: its operand is the next word. */
function optionIn(command: Command, word: string) {
  const [name = '', ...rest] = word.split('=')
  const option = command.options.find(({ long, short }) => name === long || name === short)
  const operand = rest.length === 0 ? null : rest.join('=')
  return { option, operand, isOpen: option?.required === true && operand === null }
}

function optionAt({ command, options }: Line, typed: string): Completion {
  const begun = optionIn(command, typed)
  if (begun.operand !== null && begun.option !== undefined) {
    return operandOf(begun.option, typed.slice(0, typed.length - begun.operand.length))
  }
  const free = command.options.filter((option) => !options.has(option))
  const candidates = free.map((option) => ({
    word: option.long ?? option.short ?? '',
    help: option.description,
  }))
  return { candidates: [...candidates, { word: '--help', help: '' }], also: 'nothing' }
}

/** What an option takes is told by its choices, or by the name of its operand. `before`: typed before it in its word. */
function operandOf(option: Option, before: string): Completion {
  const choices = option.argChoices ?? []
  if (choices.length > 0) return wordsOnly(choices.map((choice) => `${before}${choice}`))
  if (option.flags.includes('<dir>')) return { candidates: [], also: 'directories' }
  return option.flags.includes('<file>') ? { candidates: [], also: 'files' } : nothing
}

const wordsOnly = (words: readonly string[]): Completion => ({
  candidates: words.map((word) => ({ word, help: '' })),
  also: 'nothing',
})

/** Which of a daemon's names a command takes; the others take none. */
const takes: Readonly<Record<string, readonly (keyof Names)[]>> = {
  status: ['instances', 'groups', 'checks', 'bfd'],
  history: ['instances'],
  events: ['instances', 'groups', 'checks', 'bfd'],
  failover: ['instances', 'groups'],
  resume: ['instances', 'groups'],
  probe: ['checks'],
  push: ['checks'],
  tune: ['checks'],
}

async function argumentOf(argument: Argument, line: Line, ask: AskNames): Promise<Completion> {
  if (argument.argChoices !== undefined) return wordsOnly(argument.argChoices)
  const kinds = takes[line.command.name()]
  if (kinds === undefined || argument.name() !== 'name') {
    return argument.name() === 'config' ? { candidates: [], also: 'files' } : nothing
  }
  const runDir = [...line.options].find(([option]) => option.long === '--run-dir')?.[1] ?? null
  const names = await ask(runDir)
  if (names === null) return nothing
  const said = new Set(line.operands)
  const all = kinds.flatMap((kind) => names[kind].map(({ name }) => name))
  return wordsOnly([...new Set(all)].filter((name) => !said.has(name)))
}
