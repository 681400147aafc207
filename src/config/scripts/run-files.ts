/**
 * Which files are run or loaded when a command is carried out: its program, the interpreters, what a shell's text runs,
 * the script that an interpreter gets, and the programs behind `sudo`, `timeout`, `env` and the like. More is
 * taken for a program rather than less; what cannot be told is said.
 */
import type { Command } from '../../base/command.ts'
import type { World } from '../world.ts'
import { type ShellWord, shellCommands } from './shell-words.ts'

export type RunFiles = {
  /** Absolute; files, and the directories in which they are looked for. */
  readonly paths: readonly string[]
  /** Why it cannot be told what would be run; null: it can. */
  readonly unknown: string | null
}

export function filesOf(command: Command, world: World): RunFiles {
  const collector = new Collector(world)
  if (command.kind === 'argv') collector.program(command.argv)
  else if (command.kind === 'module') collector.add(command.path)
  else if (command.kind === 'shell') {
    collector.add(command.shell)
    collector.shell(command.text)
  }
  return { paths: [...collector.paths], unknown: collector.unknown }
}

const shells = /^(?:ba|da|a|k|mk|z|pdk)?sh$/
const interpreters =
  /^(?:python|perl|ruby|node|nodejs|php|lua|tclsh|expect|Rscript|java|deno|bun)[\d.]*$/
/** They run what stands somewhere behind them. */
const wrappers = new Set([
  'busybox', 'cgexec', 'choom', 'chroot', 'chrt', 'command', 'builtin', 'doas', 'env', 'exec', 'find', 'flock', 'ionice',
  'ip', 'linux32', 'linux64', 'ltrace', 'nice', 'nohup', 'nsenter', 'numactl', 'parallel', 'prlimit', 'runuser',
  'script', 'setarch', 'setpriv', 'setsid', 'start-stop-daemon', 'stdbuf', 'strace', 'su', 'sudo', 'systemd-run',
  'taskset', 'time', 'timeout', 'unbuffer', 'unshare', 'watch', 'xargs',
]) // biome-ignore format: a list of words
const identityChangers = new Set(['doas', 'runuser', 'setpriv', 'su', 'sudo'])
/** Of a shell; they start no program. */
const builtins = new Set([
  ':', '[', 'bg', 'break', 'continue', 'declare', 'disown', 'echo', 'exit', 'false', 'fg', 'for', 'getopts',
  'hash', 'help', 'history', 'jobs', 'kill', 'let', 'mapfile', 'printf', 'pwd', 'read', 'readarray',
  'return', 'select', 'set', 'shift', 'shopt', 'test', 'times', 'true', 'type', 'ulimit', 'umask', 'unalias',
  'unset', 'wait',
]) // biome-ignore format: a list of words
/** Of a shell too; they set variables. */
const declarations = new Set(['declare', 'export', 'local', 'readonly', 'typeset'])
/** Variables that say where programs and what they load come from. */
const searchVariables =
  /^(?:PATH|LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|BASH_ENV|ENV|PYTHONPATH|PYTHONHOME|PERL5LIB|RUBYLIB|NODE_PATH)$/
/** Nested texts of shells: `sh -c "sh -c …"`. */
const textsMax = 32

class Collector {
  readonly paths = new Set<string>()
  unknown: string | null = null
  readonly #world: World
  readonly #search: string[]
  /** null: a `cd` went where only the shell can tell. */
  #directory: string | null = '/'
  #texts = 0

  constructor(world: World) {
    this.#world = world
    this.#search = world.path.filter((path) => path.startsWith('/'))
  }

  shell(text: string): void {
    if (++this.#texts > textsMax) return this.#cannotTell('shells are nested too deep')
    for (const { assignments, words } of shellCommands(text)) {
      for (const { name, value } of assignments) this.#assignment(name, value)
      const [name, ...args] = words
      if (name === undefined) continue
      if (name === null) this.#cannotTell('an expansion decides which program is run')
      else if (!this.#builtin(name, args)) this.program(words)
    }
  }

  /** A program with its arguments, wherever it is named. */
  program(words: readonly ShellWord[]): void {
    const [name, ...args] = words
    if (name === undefined || name === '') return
    if (name === null) return this.#cannotTell('an expansion decides which program is run')
    this.#locate(name)
    const base = name.slice(name.lastIndexOf('/') + 1)
    const known = literalsOf(args)
    if (!this.#runBy(base, known) && known.length < args.length)
      this.#cannotTell(`an expansion decides what ${base} runs`)
  }

  /** True when what `base` runs is found, or it runs nothing. */
  #runBy(base: string, args: readonly string[]): boolean {
    if (shells.test(base)) return this.#shellScript(args)
    if (interpreters.test(base)) return this.#script(args)
    return wrappers.has(base) ? this.#wrapped(base, args) : true
  }

  /** And, for a script, its interpreter. */
  add(path: string): void {
    if (this.paths.has(path)) return
    this.paths.add(path)
    const [, interpreter, argument = ''] =
      /^#![ \t]*(\S+)[ \t]*(.*)$/.exec(this.#world.firstLine(path) ?? '') ?? []
    if (interpreter === undefined) return
    const split = /^(?:-S|--split-string=?)\s*(.*)$/.exec(argument)?.[1]
    const words = split === undefined ? [argument.trim()] : split.split(/\s+/)
    this.program([interpreter, ...words.filter((word) => word !== ''), path])
  }

  #cannotTell(why: string): void {
    this.unknown ??= why
  }

  /** True when `name` is the shell's own and done with. */
  #builtin(name: string, args: readonly ShellWord[]): boolean {
    const [first] = args
    switch (name) {
      case 'cd':
      case 'pushd':
      case 'popd':
        this.#directory = name === 'popd' ? null : this.#resolve(first ?? null)
        return true
      case 'eval':
        this.#text(args)
        return true
      case 'trap':
        this.#text(args.slice(0, 1))
        return true
      case '.':
      case 'source':
        this.#sourced(name, first)
        return true
      case 'alias':
        if (args.length > 0) this.#cannotTell('an alias may stand for any program')
        return true
      case 'command':
        return /^-\w*[vV]/.test(first ?? '')
    }
    if (declarations.has(name)) for (const word of args) this.#declared(word)
    return builtins.has(name) || declarations.has(name)
  }

  #sourced(name: string, file: ShellWord | undefined): void {
    if (file === null) this.#cannotTell(`an expansion decides which file '${name}' reads`)
    else if (file !== undefined) this.#locate(file, true)
  }

  #text(words: readonly ShellWord[]): void {
    if (words.includes(null)) this.#cannotTell('an expansion decides what the shell reads')
    else this.shell(words.join(' '))
  }

  /** By its path, or in PATH: then no other user may make one in a directory before. `hereToo`: as a shell finds its script. */
  #locate(name: string, hereToo = false): void {
    if (name.includes('/')) {
      const path = this.#resolve(name)
      if (path === null) this.#cannotTell(`${name} is relative to a directory that cannot be told`)
      else this.add(path)
      return
    }
    const here = hereToo ? this.#resolve(name) : null
    if (here !== null) this.add(here)
    for (const directory of this.#search) {
      this.paths.add(directory)
      const path = `${directory.replace(/\/+$/, '')}/${name}`
      if (this.#kind(path) === 'file') return this.add(path)
    }
  }

  #resolve(path: string | null): string | null {
    if (path === null || path === '' || path === '-') return null
    if (path.startsWith('/')) return path
    if (this.#directory === null) return null
    return `${this.#directory === '/' ? '' : this.#directory}/${path}`
  }

  #kind(path: string): string | null {
    return this.#world.stat(path)?.kind ?? null
  }

  #assignment(name: string, value: ShellWord): void {
    if (!searchVariables.test(name)) return
    if (value === null && name !== 'PATH')
      return this.#cannotTell(`an expansion decides what ${name} is`)
    // `PATH=/opt/bin:$PATH` has an expansion too, and the directories in it cannot be told apart from it.
    if (value === null)
      return this.#cannotTell('an expansion decides where programs are looked for')
    const directories = value.split(/[: ]/).filter((path) => path.startsWith('/'))
    for (const path of directories) this.add(path)
    if (name === 'PATH') this.#search.unshift(...directories)
  }

  #declared(word: ShellWord): void {
    if (word === null) return this.#cannotTell('an expansion decides which variable is set')
    const [, name = '', value = ''] = /^([A-Za-z_]\w*)\+?=(.*)$/s.exec(word) ?? []
    this.#assignment(name, value)
  }

  /** `sh [OPTION]… FILE` or `sh -c TEXT`. */
  #shellScript(args: readonly string[]): boolean {
    let text = false
    for (let i = 0; i < args.length; i++) {
      const word = args[i] ?? ''
      if (word === '-' || word === '--') continue
      if (!/^[-+]/.test(word)) {
        if (text) this.shell(word)
        else this.#locate(word, true)
        return true
      }
      text ||= /^-[A-Za-z]*c/.test(word)
      if (/^(?:[-+][A-Za-z]*[oO]|--rcfile|--init-file)$/.test(word)) i++
    }
    return false
  }

  /** Up to the first file that is there: the script. What options before it name by path counts too. */
  #script(args: readonly string[]): boolean {
    for (const word of args) {
      if (/^-\w*[ceEr]$|^--(?:eval|print|run)$/.test(word)) return true
      const option = word.startsWith('-')
      const named = option ? (/\/.*/.exec(word)?.[0] ?? null) : this.#resolve(word)
      const kind = named === null ? null : this.#kind(named)
      if (named !== null && kind !== null) this.add(named)
      if (!option && kind === 'file') return true
    }
    return false
  }

  /** The first argument that is a program, with what follows it. */
  #wrapped(base: string, args: readonly string[]): boolean {
    if (identityChangers.has(base) && this.#becomesOther(base, args)) return true
    const from = base === 'ip' ? args.indexOf('exec') : 0
    if (from < 0) return true
    for (let i = from; i < args.length; i++) {
      const word = args[i] ?? ''
      const text = textOf(base, word, args[i + 1])
      if (text !== undefined) this.shell(text)
      else if (this.#isProgram(word)) this.program(args.slice(i))
      else {
        this.#declared(word)
        continue
      }
      return true
    }
    return false
  }

  #isProgram(word: string): boolean {
    if (word.startsWith('-')) return false
    if (!word.includes('/'))
      return this.#search.some((directory) => this.#kind(`${directory}/${word}`) === 'file')
    const path = this.#resolve(word)
    const facts = path === null ? null : this.#world.stat(path)
    return facts?.kind === 'file' && (facts.mode & 0o111) !== 0
  }

  /** `sudo -u USER …`: then it is not root that runs it. */
  #becomesOther(base: string, args: readonly string[]): boolean {
    const program = args.findIndex((word) => this.#isProgram(word))
    const own = program < 0 ? args : args.slice(0, program)
    const user = userOf(own) ?? (/^(?:su|runuser)$/.test(base) ? firstOperand(own) : undefined)
    if (user === undefined) return false
    const uid = /^#?\d+$/.test(user) ? Number(user.replace('#', '')) : this.#world.user(user)?.uid
    return uid !== undefined && uid !== 0
  }
}

/** Up to the first word that only the shell can tell. */
function literalsOf(words: readonly ShellWord[]): readonly string[] {
  const literals: string[] = []
  for (const word of words) {
    if (word === null) break
    literals.push(word)
  }
  return literals
}

/** What `su -c TEXT` and the like give to a shell. */
function textOf(base: string, word: string, next: string | undefined): string | undefined {
  if (base === 'watch') return /\s/.test(word) ? word : undefined
  if (!/^(?:su|runuser|flock|script)$/.test(base)) return undefined
  const option = /^(?:-\w*c|--(?:session-)?command(?:=(.*))?)$/s.exec(word)
  return option === null ? undefined : (option[1] ?? next)
}

function userOf(args: readonly string[]): string | undefined {
  for (const [i, word] of args.entries()) {
    const attached = /^(?:-u|--user=|--reuid=)(.+)$/.exec(word)?.[1]
    if (attached !== undefined) return attached
    if (/^(?:-u|--user|--reuid)$/.test(word)) return args[i + 1]
  }
  return undefined
}

const firstOperand = (args: readonly string[]): string | undefined =>
  args.find((word) => !word.startsWith('-'))
