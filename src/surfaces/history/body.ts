/** The thread that keeps transitions and claims: a disk that is slow, full or gone holds up nothing but this. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { textOf } from '../../base/errors.ts'
import type { KeptPage } from '../../report/kept.ts'
import { ClaimsStore, claimsPage } from './claims-file.ts'
import { readPage } from './files.ts'
import { latestPage } from './latest.ts'
import type { FromHistory, ToHistory } from './messages.ts'
import { HistoryStore } from './store.ts'

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const post = (message: FromHistory) => port.postMessage(message)

let directory = ''
let store: HistoryStore | null = null
/** Opened with the first claim: most hosts never hear one. */
let claims: ClaimsStore | null = null

/** What fails is tried again by the daemon, with all that is not kept yet. */
function attempt(act: (opened: HistoryStore) => void): void {
  try {
    if (store === null) {
      store = new HistoryStore(directory)
      post({ kind: 'numbers', from: store.next, until: store.reserved })
    }
    act(store)
  } catch (error) {
    store?.abandon()
    store = null
    post({ kind: 'failed', why: textOf(error) })
  }
}

function keep({ transitions }: Extract<ToHistory, { kind: 'keep' }>): void {
  attempt((opened) => {
    const before = opened.reserved
    opened.keep(transitions)
    if (opened.reserved !== before)
      post({ kind: 'numbers', from: opened.next, until: opened.reserved })
    post({ kind: 'kept', upTo: opened.written })
  })
}

function keepClaims(message: Extract<ToHistory, { kind: 'keep-claims' }>): void {
  try {
    claims ??= new ClaimsStore(directory)
    claims.keep(message.claims)
    post({ kind: 'claims-kept' })
  } catch (error) {
    forgetClaims()
    post({ kind: 'claims-failed', why: textOf(error) })
  }
}

function forgetClaims(): void {
  claims?.close()
  claims = null
}

function answer(id: number, read: () => KeptPage): void {
  try {
    post({ kind: 'page', id, page: read() })
  } catch (error) {
    post({ kind: 'no-page', id, why: textOf(error) })
  }
}

port.on('message', (message: ToHistory) => {
  switch (message.kind) {
    case 'open':
      if (message.directory !== directory) {
        store?.abandon()
        store = null
        forgetClaims()
      }
      directory = message.directory
      return attempt(() => undefined)
    case 'keep':
      return keep(message)
    case 'keep-claims':
      return keepClaims(message)
    case 'read':
      return answer(message.id, () => readPage(directory, message.query))
    case 'latest':
      return answer(message.id, () => latestPage(directory, message.query))
    case 'claims':
      return answer(message.id, () => ({
        ...{ directory, next: null },
        lines: claimsPage(directory, message.query),
      }))
    case 'ping':
      return post({ kind: 'pong' })
    case 'stop':
      try {
        forgetClaims()
        store?.close(message.last)
      } finally {
        process.exit()
      }
  }
})
