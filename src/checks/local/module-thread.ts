/** The thread of one module: loads it once, and calls its default export whenever it is asked. */
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'

export type ModuleData = { readonly path: string }
export type ToModule = { readonly kind: 'ask' | 'abort'; readonly id: number }
export type FromModule = { readonly id: number; readonly ok: boolean; readonly message: string }

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const { path } = workerData as ModuleData
const loaded = load()
let controller = new AbortController()

port.on('message', ({ kind, id }: ToModule) => {
  if (kind === 'abort') return controller.abort()
  controller = new AbortController()
  void answer(id, controller.signal)
})

async function load(): Promise<(signal: AbortSignal) => unknown> {
  const { default: check } = (await import(pathToFileURL(path).href)) as { default?: unknown }
  if (typeof check !== 'function')
    throw new Error('the module has no function as its default export')
  return check as (signal: AbortSignal) => unknown
}

async function answer(id: number, signal: AbortSignal): Promise<void> {
  let said: FromModule
  try {
    said = { id, ...readAnswer(await (await loaded)(signal)) }
  } catch (error) {
    said = { id, ok: false, message: error instanceof Error ? error.message : String(error) }
  }
  port.postMessage(said)
}

/** A boolean, or an object with `ok` and perhaps `message`; everything else is a mistake of the module. */
function readAnswer(value: unknown): { readonly ok: boolean; readonly message: string } {
  if (typeof value === 'boolean') return { ok: value, message: value ? 'true' : 'false' }
  if (
    typeof value === 'object' &&
    value !== null &&
    'ok' in value &&
    typeof value.ok === 'boolean'
  ) {
    const message = 'message' in value ? String(value.message) : ''
    return { ok: value.ok, message: message === '' ? String(value.ok) : message.slice(0, 1_000) }
  }
  throw new Error('the module answered neither a boolean nor { ok, message }')
}
