/**
 * Who else is here: the record of a run directory, and the vipds that live in this network namespace with another run
 * directory. A living daemon holds an abstract socket whose name carries its run directory: the kernel gives the name
 * up with the process, however it ends, and it is seen wherever the same interfaces are seen, in another container
 * as well. Everything here reads files and may block: for the command line, and for the daemon's own thread.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { decodeRecord, type RecordRead, type Scope } from './marks.ts'

export type Neighbour = { readonly runDir: string; readonly record: RecordRead }

export type Survey = {
  readonly scope: Scope
  /** Left by the last daemon of this run directory. */
  readonly own: RecordRead
  /** A daemon of this very run directory lives, whether or not its files are still there. */
  readonly lives: boolean
  readonly neighbours: readonly Neighbour[]
}

const recordPath = (runDir: string): string => join(runDir, 'owned.json')
/** A record takes about 120 octets for each address. */
const recordBytesMax = 64 * 1024 * 1024

const prefix = 'vipd:run:'
/** sun_path holds 107 octets beside the leading zero. */
const nameMax = 100

/** What the daemon of a run directory is called among the abstract sockets. */
export function livingName(runDir: string): string {
  const name = `${prefix}${encodeURI(resolve(runDir))}`
  return name.length <= nameMax ? name : `${prefix}#${digest(runDir)}`
}

/** Of a run directory, for names that are too short for it. Of '#DIGEST' it is that digest. */
export const digest = (runDir: string): string =>
  runDir.startsWith('#')
    ? runDir.slice(1)
    : createHash('sha256').update(resolve(runDir)).digest('hex').slice(0, 12)

/** A daemon of this very run directory lives, in this network namespace; false where /proc does not tell. */
export function isLived(runDir: string): boolean {
  try {
    return livingRunDirectories().some((it) => it.name === livingName(runDir))
  } catch {
    return false
  }
}

export function survey(runDir: string): Survey {
  const living = livingRunDirectories()
  return {
    scope: presentScope(),
    own: readRecord(runDir),
    lives: living.some((it) => it.name === livingName(runDir)),
    neighbours: living
      .filter((it) => it.name !== livingName(runDir))
      .map((it) => ({ runDir: it.runDir, record: readNeighbour(it.runDir) })),
  }
}

/** A record that is gone is no proof: its daemon lives. */
function readNeighbour(runDir: string): RecordRead {
  const read = runDir.startsWith('/') ? readRecord(runDir) : ({ kind: 'none' } as const)
  return read.kind === 'none' ? { kind: 'unusable', why: 'it cannot be found' } : read
}

function readRecord(runDir: string): RecordRead {
  try {
    const text = readFileSync(recordPath(runDir), 'utf8')
    if (text.length > recordBytesMax) return { kind: 'unusable', why: 'it is too large' }
    return decodeRecord(text)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const none = code === 'ENOENT' || code === 'ENOTDIR'
    return none ? { kind: 'none' } : { kind: 'unusable', why: code }
  }
}

/** Written beside and renamed: a reader, and a crash of the host, meet the old record or the new one. */
export function writeRecord(runDir: string, text: string): void {
  const path = recordPath(runDir)
  const beside = `${path}.new`
  // Not followed and not shared: the directory may be writable by others in spite of all advice.
  tryUnlink(beside)
  const file = openSync(beside, 'wx', 0o644)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  syncDirectory(runDir)
}

export const removeRecord = (runDir: string): void => tryUnlink(recordPath(runDir))

/** A record that cannot be understood is kept for the vipd that can. */
export function setRecordAside(runDir: string): void {
  renameSync(recordPath(runDir), `${recordPath(runDir)}.unusable`)
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

type Living = { readonly name: string; readonly runDir: string }

/** /proc/net/unix shows the leading zero of an abstract name as '@'. */
function livingRunDirectories(): readonly Living[] {
  const names = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .flatMap((line) => / @(vipd:run:\S+)$/.exec(line)?.[1] ?? [])
  return [...new Set(names)].map((name) => ({ name, runDir: decoded(name.slice(prefix.length)) }))
}

function decoded(text: string): string {
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}

function presentScope(): Scope {
  return {
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    netns: readlinkSync('/proc/self/ns/net'),
  }
}
