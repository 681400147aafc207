/** The thread that keeps transitions: a disk that is slow, full or gone holds up nothing but this. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { textOf } from '../../base/errors.ts'
import type { KeptPage } from '../../report/kept.ts'
import { readLatest, readPage } from './files.ts'
import type { FromHistory, ToHistory } from './messages.ts'
import { HistoryStore } from './store.ts'

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const post = (message: FromHistory) => port.postMessage(message)

let directory = ''
let store: HistoryStore | null = null

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
      if (message.directory !== directory) store?.abandon()
      if (message.directory !== directory) store = null
      directory = message.directory
      return attempt(() => undefined)
    case 'keep':
      return keep(message)
    case 'read':
      return answer(message.id, () => readPage(directory, message.query))
    case 'latest':
      return answer(message.id, () => readLatest(directory, message.query))
    case 'ping':
      return post({ kind: 'pong' })
    case 'stop':
      try {
        store?.close(message.last)
      } finally {
        process.exit()
      }
  }
})
