/** The files that an address needs: tokens and TLS. Read when it is opened, and again when one of them has changed. */

import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { textOf } from '../../base/errors.ts'
import type { HttpListener } from '../../config/http.ts'
import type { Tokens } from './guard.ts'

export type ListenerFiles = {
  readonly tokens: Tokens
  readonly tls: SecureContextOptions | null
  /** Another one when any of the files is another. */
  readonly version: string
}

/** A token or a key is no longer. */
const fileBytesMax = 256 * 1024
const tokenMin = 16

/** Throws an Error that says which file is wrong, and why. */
export function readFiles(listener: HttpListener): ListenerFiles {
  const version = versionOf(listener)
  const { readToken, actionToken, tls } = listener
  const tokens = {
    read: readToken === null ? null : readTokenFile(readToken),
    act: actionToken === null ? null : readTokenFile(actionToken),
  }
  if (tls === null) return { tokens, tls: null, version }
  const options = {
    cert: readBounded(tls.cert),
    key: readSecret(tls.key),
    ...(tls.clientCa === null ? {} : { ca: readBounded(tls.clientCa) }),
  }
  contextOf(options, tls.cert)
  return { tokens, tls: options, version }
}

/** Cheap: asked every few seconds. Throws nothing; a file that is away is another version. */
export function versionOf({ readToken, actionToken, tls }: HttpListener): string {
  const paths = [readToken, actionToken, tls?.cert ?? null, tls?.key ?? null, tls?.clientCa ?? null]
  return paths.map((path) => (path === null ? '' : mark(path))).join(' ')
}

function mark(path: string): string {
  const facts = statSync(path, { throwIfNoEntry: false, bigint: true })
  return facts === undefined
    ? 'none'
    : `${facts.ino}.${facts.size}.${facts.mtimeNs}.${facts.ctimeNs}`
}

export function readTokenFile(path: string): string {
  const token = readSecret(path).toString('utf8').trim()
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < tokenMin)
    throw new Error(`${path} holds no token: one line of at least ${tokenMin} visible characters`)
  return token
}

/** Other users must not be able to read it. */
function readSecret(path: string): Buffer {
  const content = readBounded(path)
  const { mode } = statSync(path)
  if ((mode & 0o007) !== 0)
    throw new Error(`${path} can be read or written by every user: chmod 640 ${path}`)
  return content
}

export function readBounded(path: string): Buffer {
  const facts = statSync(path)
  if (!facts.isFile()) throw new Error(`${path} is no regular file`)
  if (facts.size > fileBytesMax) throw new Error(`${path} is longer than ${fileBytesMax} octets`)
  return readFileSync(path)
}

export function contextOf(options: SecureContextOptions, path: string): SecureContext {
  try {
    return createSecureContext({ ...options, minVersion: 'TLSv1.2' })
  } catch (error) {
    throw new Error(`${path} and its key: ${textOf(error)}`)
  }
}
