/**
 * "Is a process of that name alive?", and "how many are there?", answered from /proc with the matching rules of
 * killall, pidof, pgrep and keepalived's vrrp_track_process. The kernel keeps 15 bytes of a name; each tool copes with longer names, scripts and zombies in its
 * own way, and a check that was written for one of them must get that one's answer.
 *
 * Names compare as bytes, so text is latin1 throughout. procfs cannot hang, hence synchronous reads: they
 * stay out of libuv's thread pool, which the whole process shares.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import type { Command, ProcessesWanted, RunAs } from '../../base/command.ts'

export type ProcessQuery = Extract<Command, { kind: 'process' }>

/** One process; fields are read when they are first asked for. */
export type ProcessFacts = {
  readonly pid: number
  /** As in /proc/PID/stat; '' when the process is gone. */
  readonly comm: string
  /** R, S, D, Z, … */
  readonly state: string
  readonly argv: readonly string[]
}

/** What the kernel keeps of a name: a thread's, and (with their work queue) a kernel worker's. */
const commLength = 15
const workerCommLength = 63

type Match = (name: string, candidate: ProcessFacts) => boolean

/** A full-length name is completed from the first argument whose base name begins with it. */
const likeKillall: Match = (name, { comm, argv }) => {
  const cut = comm.length === commLength || comm.length === workerCommLength
  const long = cut ? completeName(comm, argv) : null
  if (long !== null) return long === name
  return cut && name.length >= comm.length ? name.startsWith(comm) : name === comm
}

function completeName(comm: string, argv: readonly string[]): string | null {
  const end = argv.indexOf('')
  const words = end < 0 ? argv : argv.slice(0, end)
  return words.map(baseName).find((word) => word.startsWith(comm)) ?? null
}

/** By argv[0] or its base name; by the kernel's name for titles that a process set itself. No zombies. */
const likePidof: Match = (name, { comm, state, argv }) => {
  if (state === 'Z') return false
  const title = argv[0] ?? ''
  if (title === name || (title !== '' && baseName(title) === name)) return true
  if (name.length > commLength || comm !== name) return false
  const operand = argv.slice(1).find((word) => !word.startsWith('-')) ?? ''
  return title === '' || title.includes(' ') || (operand === '' && title.startsWith('-'))
}

const likePgrep: Match = (name, { comm }) => comm === name

const matches: Readonly<Record<ProcessQuery['like'], Match>> = {
  killall: likeKillall,
  pidof: likePidof,
  pgrep: likePgrep,
}

export function matchesName(query: ProcessQuery, candidate: ProcessFacts): boolean {
  return candidate.comm !== '' && matches[query.like](toLatin1(query.name), candidate)
}

/** Whether this process counts: a zombie does not. */
export function matchesWanted(wanted: ProcessesWanted, candidate: ProcessFacts): boolean {
  const { comm, state, argv } = candidate
  if (comm === '' || state === 'Z' || state === 'X') return false
  const name = toLatin1(wanted.name)
  const named = wanted.full ? argv[0] === name : comm === name.slice(0, commLength)
  return named && parametersMatch(wanted, argv.slice(1))
}

function parametersMatch({ parameters, match }: ProcessesWanted, given: readonly string[]) {
  if (parameters === null) return true
  const wanted = parameters.map(toLatin1)
  if (given.length < wanted.length || (match === 'exact' && given.length > wanted.length))
    return false
  return wanted.every((word, i) => {
    const last = i === wanted.length - 1
    const there = given[i] ?? ''
    return match === 'partial' && last ? there.startsWith(word) : there === word
  })
}

/** Does the named tool, run under that identity, count this process. */
const counts = (query: ProcessQuery, runAs: RunAs | null, candidate: ProcessFacts): boolean =>
  matchesName(query, candidate) && (query.like !== 'killall' || maySignal(candidate.pid, runAs))

/** Looks at /proc that the checks due within a few milliseconds share. */
export class ProcessTable {
  #takenAt = Number.NEGATIVE_INFINITY
  #tookMs = 0
  #processes: readonly ProcessFacts[] = []

  /**
   * A process for which the named tool would exit 0, run under that identity; null when there is none. `known` is
   * looked at first: while it is there no other one matters, and a look costs three system calls. `now`: monotonic
   * milliseconds.
   */
  find(query: ProcessQuery, runAs: RunAs | null, known: number | null, now: number): number | null {
    if (known !== null && counts(query, runAs, new LazyProcess(known))) return known
    return this.#look(now, (candidate) => counts(query, runAs, candidate))[0] ?? null
  }

  /** Those that match. Where there is no upper bound the known ones suffice if they are enough. */
  count(wanted: ProcessesWanted, known: readonly number[], now: number): readonly number[] {
    const unbounded = wanted.most === Number.POSITIVE_INFINITY
    const left = unbounded ? known.filter((pid) => matchesWanted(wanted, new LazyProcess(pid))) : []
    if (unbounded && left.length >= wanted.least) return left
    return this.#look(now, (candidate) => matchesWanted(wanted, candidate))
  }

  /** There are news: the next look is a new one, unless the last was only just now. Looks stay a share of the time. */
  forget(now: number): void {
    if (now - this.#takenAt > Math.max(sharedMs, this.#tookMs * shareWithNews))
      this.#takenAt = Number.NEGATIVE_INFINITY
  }

  #look(now: number, wanted: (candidate: ProcessFacts) => boolean): readonly number[] {
    const from = performance.now()
    if (now - this.#takenAt > Math.max(sharedMs, this.#tookMs * shareOfTime)) {
      this.#takenAt = now
      this.#tookMs = 0
      this.#processes = listPids().map((pid) => new LazyProcess(pid))
    }
    const found = this.#processes.filter(wanted).map(({ pid }) => pid)
    this.#tookMs += performance.now() - from
    return found
  }
}

/** One process, as it is when it is first asked about. */
export const processAt = (pid: number): ProcessFacts => new LazyProcess(pid)

/** Age up to which a look at /proc serves another check: so long, or so many times what it took. */
const sharedMs = 5
const shareOfTime = 4
const shareWithNews = 2

class LazyProcess implements ProcessFacts {
  readonly pid: number
  #stat: { readonly comm: string; readonly state: string } | null = null
  #argv: readonly string[] | null = null

  constructor(pid: number) {
    this.pid = pid
  }

  get comm(): string {
    return this.#readStat().comm
  }

  get state(): string {
    return this.#readStat().state
  }

  get argv(): readonly string[] {
    this.#argv ??= splitArguments(readProc(this.pid, 'cmdline'))
    return this.#argv
  }

  #readStat() {
    this.#stat ??= parseStat(readProc(this.pid, 'stat'))
    return this.#stat
  }
}

/** `PID (comm) S …`; comm may hold blanks and parentheses. */
export function parseStat(text: string): { readonly comm: string; readonly state: string } {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return { comm: '', state: '' }
  return { comm: text.slice(open + 1, close), state: text.charAt(close + 2) }
}

function splitArguments(text: string): readonly string[] {
  if (text === '') return []
  const words = text.split('\0')
  if (words.at(-1) === '') words.pop()
  return words
}

/** kill(pid, 0) by that identity: killall counts only what it could have signalled. */
function maySignal(pid: number, runAs: RunAs | null): boolean {
  const own = process.geteuid?.() ?? 0
  if (runAs === null || runAs.uid === own) return answersSignalZero(pid)
  if (runAs.uid === 0) return true
  const [, real, , saved] = /^Uid:\t(\d+)\t(\d+)\t(\d+)/m.exec(readProc(pid, 'status')) ?? []
  return Number(real) === runAs.uid || Number(saved) === runAs.uid
}

function answersSignalZero(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function listPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** '' when the process ended meanwhile, or is hidden from us. */
function readProc(pid: number, file: 'stat' | 'cmdline' | 'status'): string {
  try {
    const fd = openSync(`/proc/${pid}/${file}`, 'r')
    try {
      return readAll(fd, file === 'stat')
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

/** One buffer for all: these files have no size, and a new one for each read would be most of the work. */
const buffer = Buffer.alloc(65_536)

/** `stat` comes in one piece. */
function readAll(fd: number, onePiece: boolean): string {
  let text = ''
  for (;;) {
    const length = readSync(fd, buffer)
    text += buffer.toString('latin1', 0, length)
    if (length === 0 || onePiece) return text
  }
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const toLatin1 = (name: string): string => Buffer.from(name, 'utf8').toString('latin1')
