/**
 * How a script string will be run, decided once when the configuration is loaded: in-process where the
 * text is exactly one of the well-known forms, under a shell where it needs one, else straight by execve.
 * Nothing is run here; the machine is only asked what is there.
 */
import type { Command, RunAs } from '../../base/command.ts'
import type { World } from '../world.ts'
import { describeInProcess, wellKnown } from './probe-table.ts'
import { splitArgv } from './script-words.ts'

export type Resolved = {
  readonly command: Command
  /** What the operator should know, beside what `command` itself says. */
  readonly findings: readonly Finding[]
}

export type Finding = { readonly code: string; readonly message: string }

/** Decides how `text`, the script's own word without its outer quotes, is carried out. */
export function resolveCommand(text: string, runAs: RunAs | null, world: World): Resolved {
  const trimmed = text.trim()
  const probe = wellKnown(trimmed)
  if (probe !== null) return { command: probe, findings: [] }
  if (needsShell(trimmed)) return underShell(trimmed, runAs, world)
  const argv = splitArgv(trimmed)
  const [name] = argv
  if (name === undefined || name === '') {
    return broken(
      'missing-script',
      trimmed === '' ? 'there is no command' : 'a quote is never closed',
    )
  }
  const found = findProgram(name, runAs, world)
  if ('why' in found) return broken(found.code, found.why)
  const findings: Finding[] = name.includes('/')
    ? []
    : [{ code: 'path-search', message: `${name} is ${found.path}, found in PATH` }]
  return {
    command: { kind: 'argv', argv: [found.path, ...argv.slice(1)] },
    findings,
  }
}

const broken = (code: string, why: string): Resolved => ({
  command: { kind: 'broken', why },
  findings: [{ code, message: why }],
})

const shellWords = new Set([
  'if', 'for', 'while', 'until', 'case', '[', '[[', 'test', 'exit', '!', '{', '.', ':', 'source', 'cd',
  'eval', 'exec', 'export', 'set', 'trap', 'ulimit', 'umask', 'unset', 'wait', 'command', 'type',
]) // biome-ignore format: a list of words

/**
 * True when execve would pass shell syntax to the program as arguments: an operator, a redirection, an
 * expansion or a glob outside quotes, a builtin or keyword first, or an assignment before the command.
 * A word with `://` in it is an address, whose ? and & are its own.
 */
export function needsShell(text: string): boolean {
  const [first = ''] = text.split(/\s/, 1)
  if (shellWords.has(first) || /^[A-Za-z_]\w*=/.test(first)) return true
  const bare = text.replace(/'[^']*'|"(?:\\.|[^"\\])*"|\\./g, '').replace(/\S*:\/\/[^\s|<>;]*/g, '')
  return /[|&;<>()$`*?[\n]/.test(bare)
}

/** Commands that need no file, beside the words above. */
const builtins = new Set(
  'alias bg break builtin continue declare echo enable false fg getopts hash help history jobs kill let local printf pwd read return select shift shopt time times true'.split(
    ' ',
  ),
)

function underShell(text: string, runAs: RunAs | null, world: World): Resolved {
  const bash = ['/bin/bash', '/usr/bin/bash'].find((path) => world.stat(path)?.kind === 'file')
  const shell = bash ?? '/bin/sh'
  const findings: Finding[] = []
  const [first = ''] = text.split(/\s/, 1)
  if (/^\/[\w./-]+$/.test(first) && world.stat(first) === null) {
    findings.push({ code: 'missing-script', message: `${first} is not there` })
  } else if (/^[A-Za-z][\w.+-]*$/.test(first) && !shellWords.has(first) && !builtins.has(first)) {
    const found = findProgram(first, runAs, world)
    if ('why' in found) findings.push({ code: found.code, message: found.why })
  }
  return { command: { kind: 'shell', shell, text }, findings }
}

type Found =
  | { readonly path: string }
  | { readonly code: 'missing-script' | 'not-executable'; readonly why: string }

function findProgram(name: string, runAs: RunAs | null, world: World): Found {
  if (name.includes('/')) return checkProgram(name, runAs, world)
  const places = world.path.map((directory) => `${directory.replace(/\/$/, '')}/${name}`)
  const there = places.filter((path) => world.stat(path)?.kind === 'file')
  const usable = there.find((path) => 'path' in checkProgram(path, runAs, world))
  if (usable !== undefined) return { path: usable }
  if (there[0] !== undefined) return checkProgram(there[0], runAs, world)
  return { code: 'missing-script', why: `${name} is not in PATH (${world.path.join(':')})` }
}

function checkProgram(path: string, runAs: RunAs | null, world: World): Found {
  const facts = world.stat(path)
  if (facts === null) return { code: 'missing-script', why: `${path} is not there` }
  if (facts.kind !== 'file') {
    return { code: 'not-executable', why: `${path} is a ${facts.kind}, not a program` }
  }
  if (!mayExecute(facts, runAs)) {
    const mode = (facts.mode & 0o7777).toString(8).padStart(4, '0')
    const why = `${path} is not executable (mode ${mode}): chmod +x ${path}`
    return { code: 'not-executable', why }
  }
  return { path: path.startsWith('/') ? path : (world.realpath(path) ?? path) }
}

function mayExecute(
  facts: { readonly mode: number; readonly uid: number; readonly gid: number },
  runAs: RunAs | null,
): boolean {
  if (runAs === null || runAs.uid === 0) return (facts.mode & 0o111) !== 0
  if (facts.uid === runAs.uid) return (facts.mode & 0o100) !== 0
  const inGroup = facts.gid === runAs.gid || (runAs.groups ?? []).includes(facts.gid)
  return (facts.mode & (inGroup ? 0o010 : 0o001)) !== 0
}

/** One line for people: what will happen when the command is run. */
export function describeCommand(command: Command): string {
  switch (command.kind) {
    case 'argv':
      return command.argv
        .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`))
        .join(' ')
    case 'shell':
      return `${command.shell} -c '${command.text.replaceAll("'", "'\\''")}'`
    case 'probe':
      return `in-process: ${describeInProcess(command.probe)}`
    case 'combination':
      return `${command.least} of ${command.of.join(', ')}`
    case 'broken':
      return `cannot run: ${command.why}`
    default:
      return describeInProcess(command)
  }
}
