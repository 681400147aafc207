/** The configuration thread: reads, parses and compares, one request after the other. It may hang; see loader.ts. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { unchangedSince } from './compare.ts'
import type { Loaded, LoadRequest } from './load.ts'
import type { Seen } from './machine.ts'

export type ToThread =
  | { readonly id: number; readonly kind: 'load'; readonly request: LoadRequest }
  | { readonly id: number; readonly kind: 'compare'; readonly seen: Seen }
export type FromThread =
  | { readonly id: number; readonly kind: 'loaded'; readonly loaded: Loaded }
  | { readonly id: number; readonly kind: 'compared'; readonly unchanged: boolean }

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort

async function answer(message: ToThread): Promise<FromThread> {
  const { id } = message
  if (message.kind === 'compare')
    return { id, kind: 'compared', unchanged: unchangedSince(message.seen) }
  // A thread that only compares does not pay for the parser.
  const { loadConfiguration } = await import('./load.ts')
  return { id, kind: 'loaded', loaded: loadConfiguration(message.request) }
}

port.on('message', async (message: ToThread) => port.postMessage(await answer(message)))
