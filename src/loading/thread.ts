/** The configuration thread: reads, parses and compares, one request after the other. It may hang; see loader.ts. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { unchangedSince } from './compare.ts'
import type { LoadRequest } from './load.ts'
import type { Seen } from './machine.ts'
import { type Part, type Piece, partsOf } from './parts.ts'

export type ToThread =
  | { readonly kind: 'load'; readonly request: LoadRequest }
  /** The next part of the configuration that was loaded. */
  | { readonly kind: 'more' }
  | { readonly kind: 'compare'; readonly id: number; readonly seen: Seen }
export type FromThread =
  | Piece
  | { readonly kind: 'compared'; readonly id: number; readonly unchanged: boolean }

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
let parts: Iterator<Part> | null = null

async function answer(message: ToThread): Promise<FromThread> {
  if (message.kind === 'compare') {
    const { id, seen } = message
    return { kind: 'compared', id, unchanged: unchangedSince(seen) }
  }
  if (message.kind === 'more') {
    const next = parts?.next()
    return { kind: 'part', part: next === undefined || next.done === true ? null : next.value }
  }
  // A thread that only compares does not pay for the parser.
  const { loadConfiguration } = await import('./load.ts')
  const { config, ...loaded } = loadConfiguration(message.request)
  parts = config === null ? null : partsOf(config)
  return { kind: 'loaded', loaded, globals: config?.globals ?? null }
}

port.on('message', async (message: ToThread) => port.postMessage(await answer(message)))
