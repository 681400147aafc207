/** The body of the thread for errands (errands.ts): files and programs that may hang, one after the other. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { OpError } from '../base/errors.ts'
import { removeRecord, type Survey, setRecordAside, survey, writeRecord } from './survey.ts'

export type Errand =
  | { readonly kind: 'survey'; readonly runDir: string }
  /** null: there is nothing to be recorded any more. */
  | { readonly kind: 'record'; readonly runDir: string; readonly text: string | null }
  | { readonly kind: 'set-aside'; readonly runDir: string }
  /** Of net.ipv6.conf.LINK, in this order. */
  | {
      readonly kind: 'ipv6-settings'
      readonly link: string
      readonly settings: readonly (readonly [name: string, value: number])[]
    }
  /** `withinMs`: then it is ended; absent: 5 s. */
  | {
      readonly kind: 'nft'
      readonly args: readonly string[]
      readonly input: string
      readonly withinMs?: number
    }

export type ErrandAnswer = {
  survey: Survey
  record: null
  'set-aside': null
  'ipv6-settings': null
  /** Standard output. */
  nft: string
}

export type FromErrands =
  | { readonly ok: true; readonly value: ErrandAnswer[keyof ErrandAnswer] }
  | { readonly ok: false; readonly op: string; readonly code: string; readonly detail: string }

/** Longer than the bound that the main thread keeps: this one ends the program, that one the thread. */
const nftTimeoutMs = 5_000
const nftOutputMax = 16 * 1024 * 1024

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort

port.on('message', (errand: Errand) => {
  const answer = attempt(errand)
  port.postMessage(answer)
})

function attempt(errand: Errand): FromErrands {
  try {
    return { ok: true, value: carryOut(errand) }
  } catch (error) {
    if (error instanceof OpError)
      return { ok: false, op: error.op, code: error.code, detail: error.detail }
    if (!(error instanceof Error && 'code' in error)) throw error
    return { ok: false, op: errand.kind, code: String(error.code), detail: error.message }
  }
}

function carryOut(errand: Errand): ErrandAnswer[keyof ErrandAnswer] {
  switch (errand.kind) {
    case 'survey':
      return survey(errand.runDir)
    case 'record':
      if (errand.text === null) removeRecord(errand.runDir)
      else writeRecord(errand.runDir, errand.text)
      return null
    case 'set-aside':
      setRecordAside(errand.runDir)
      return null
    case 'ipv6-settings':
      setIpv6(errand.link, errand.settings)
      return null
    case 'nft':
      return nft(errand.args, errand.input, errand.withinMs ?? nftTimeoutMs)
  }
}

/** There is no other way: rtnetlink sets none of these. A kernel without IPv6 has none. */
function setIpv6(link: string, settings: readonly (readonly [string, number])[]): void {
  const folder = `/proc/sys/net/ipv6/conf/${link}`
  if (!existsSync(folder)) return
  for (const [name, value] of settings) {
    const path = `${folder}/${name}`
    // Where it is so already, a /proc/sys that cannot be written does not matter.
    if (readFileSync(path, 'latin1').trim() !== String(value)) writeFileSync(path, String(value))
  }
}

function nft(args: readonly string[], input: string, timeoutMs: number): string {
  const done = spawnSync('nft', args, {
    input,
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: nftOutputMax,
  })
  // One that ends without having read its input says why.
  const said = done.status !== null && done.status !== 0
  if (done.error !== undefined && !said) {
    const code = 'code' in done.error ? String(done.error.code) : done.error.name
    throw new OpError('nft', code, code === 'ENOENT' ? 'is nftables installed?' : '')
  }
  if (said) throw new OpError('nft', `EXIT_${done.status}`, done.stderr.trim())
  return done.stdout
}
