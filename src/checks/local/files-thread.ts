/** The thread that looks at files, one after the other, and watches the directories that they are in. */
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { look, type Question, type Seen } from './file-look.ts'

export type ToFiles = { readonly id: number; readonly question: Question }
export type FromFiles =
  | { readonly kind: 'seen'; readonly id: number; readonly seen: Seen }
  | { readonly kind: 'changed'; readonly path: string }

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const say = (message: FromFiles): void => port.postMessage(message)
/** Watched directories, and the names in them that were asked for. */
const directories = new Map<string, { readonly watcher: FSWatcher; readonly names: Set<string> }>()

port.on('message', ({ id, question }: ToFiles) => {
  // First: what changes behind the look must be told.
  if (question.kind !== 'write') observe(question.path)
  say({ kind: 'seen', id, seen: look(question, Date.now()) })
})

/** A file that is written all the time is told of once in so long. */
const quietMs = 10
const changed = new Set<string>()

function changedOnce(path: string): void {
  if (changed.size === 0) setTimeout(tellChanged, quietMs)
  changed.add(path)
}

function tellChanged(): void {
  for (const path of changed) say({ kind: 'changed', path })
  changed.clear()
}

/** A directory that is not there, or cannot be watched, is tried again with the next question. */
function observe(path: string): void {
  const directory = dirname(path)
  const known = directories.get(directory)
  if (known !== undefined) {
    known.names.add(basename(path))
    return
  }
  try {
    const names = new Set([basename(path)])
    const watcher = watch(directory, (_, name) => {
      if (name !== null && names.has(name)) changedOnce(join(directory, name))
    })
    const forget = () => {
      watcher.close()
      directories.delete(directory)
    }
    watcher.on('error', forget)
    directories.set(directory, { watcher, names })
  } catch {
    // Its turns find it out.
  }
}
