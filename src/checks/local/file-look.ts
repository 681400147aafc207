/** Looks at one file (or writes its first number), now, with calls that may hang: for a thread that may be late. */
import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { writeFileSafely } from '../../addon/host-files.ts'
import type { FileWanted } from '../../base/command.ts'
import { matches } from '../verdict/pattern.ts'

export type Question =
  | ({ readonly kind: 'file' } & FileWanted)
  | { readonly kind: 'value'; readonly path: string }
  /** Writes the number, if the file is not there or in any case. */
  | {
      readonly kind: 'write'
      readonly path: string
      readonly value: number
      readonly overwrite: boolean
    }

/** `value`: the number in the file, for a question that asks for it. */
export type Seen = { readonly ok: boolean; readonly detail: string; readonly value: number }

const contentBytesMax = 1_048_576
/** keepalived's: a number is looked for in so many. */
const valueBytesMax = 127

/** `now`: milliseconds since 1970, as the file's own times are. Never throws. */
export function look(question: Question, now: number): Seen {
  try {
    if (question.kind === 'write') return write(question)
    return question.kind === 'file' ? lookAt(question, now) : readValue(question.path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return no(codes[code] ?? code)
  }
}

function lookAt({ path, readable, fresherMs, content }: FileWanted, now: number): Seen {
  const age = now - statSync(path).mtimeMs
  if (fresherMs !== null && age > fresherMs)
    return no(`changed ${(age / 1_000).toFixed(1)} s ago, not within ${fresherMs / 1_000} s`)
  if (!readable && content === null) return yes('there')
  const text = read(path, content === null ? 0 : contentBytesMax)
  if (content === null) return yes('readable')
  return matches(content, text) ? yes('as expected') : no(`/${content}/ is not in it`)
}

function write({ path, value, overwrite }: Extract<Question, { kind: 'write' }>): Seen {
  writeFileSafely(path, `${value}\n`, overwrite)
  return yes('written')
}

/** Missing, unreadable and without a number is 0, as in keepalived. */
function readValue(path: string): Seen {
  let text = ''
  try {
    text = read(path, valueBytesMax)
  } catch {
    return { ok: true, detail: 'not readable: 0', value: 0 }
  }
  const [number = ''] = /^\s*[-+]?(0x[0-9a-f]+|\d+)/i.exec(text) ?? []
  const value = clamp(numberOf(number.trim()))
  return { ok: true, detail: `${value}`, value }
}

/** Its base is that of C: 0x…, 0…, or decimal. */
function numberOf(text: string): number {
  const [, sign, digits = ''] = /^([-+]?)(.*)$/.exec(text) ?? []
  const octal = /^0[0-7]+$/.test(digits)
  const size = octal ? Number.parseInt(digits, 8) : Number(digits === '' ? 0 : digits)
  return sign === '-' ? -size : size
}

const clamp = (value: number): number =>
  Number.isFinite(value) ? Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1) : 0

/** Not blocking: a FIFO without a writer must not hold the thread. */
function read(path: string, bytesMax: number): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const buffer = Buffer.alloc(Math.max(1, bytesMax))
    let length = 0
    while (length < bytesMax) {
      const more = readSync(fd, buffer, length, bytesMax - length, null)
      if (more === 0) break
      length += more
    }
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(fd)
  }
}

const yes = (detail: string): Seen => ({ ok: true, detail, value: 0 })
const no = (detail: string): Seen => ({ ok: false, detail, value: 0 })

const codes: Readonly<Record<string, string>> = {
  ENOENT: 'not there',
  EACCES: 'permission denied',
  ENOTDIR: 'a part of its path is not a directory',
  EEXIST: 'there already',
  EISDIR: 'a directory',
  ELOOP: 'a circle of symbolic links, or one that another user made',
  EMLINK: 'it has a second name, perhaps elsewhere',
  EINVAL: 'no regular file',
  EIO: 'input/output error',
  ESTALE: 'its file server has forgotten it',
  EAGAIN: 'nothing to read',
}
