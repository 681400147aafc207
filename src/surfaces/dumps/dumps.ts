/**
 * Dump files on request, beside keepalived's names. A file is written beside and renamed: a reader never sees half of it.
 * The directory may be one that other users write, as /tmp: names that cannot be guessed, and no symbolic link followed.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dump, DumpCounts, DumpInstance } from '../../report/dump.ts'
import { dataText } from './data.ts'
import { jsonText } from './json.ts'
import { statsText } from './stats.ts'

/** Requests that wait for a file system that does not answer; more are refused. */
const waitingMax = 8

export type DumpKind = 'data' | 'stats' | 'json' | 'clear'

export class Dumps {
  /** What `clear` has counted as told already, by instance. */
  #cleared: ReadonlyMap<string, DumpCounts> = new Map()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** The path that was written. Requests are carried out in turn. Rejects with the system's error. */
  write(kind: DumpKind, directory: string, take: () => Promise<Dump>): Promise<string> {
    if (this.#waiting >= waitingMax)
      return Promise.reject(new Error('earlier dumps are not written yet'))
    this.#waiting++
    const mine = this.#last.then(async () => this.#write(kind, directory, await take()))
    this.#last = mine
      .catch(() => undefined)
      .then(() => {
        this.#waiting--
      })
    return mine
  }

  async #write(kind: DumpKind, directory: string, raw: Dump): Promise<string> {
    const dump = { ...raw, instances: raw.instances.map((it) => this.#since(it)) }
    if (kind === 'data') return await replace(join(directory, 'keepalived.data'), dataText(dump))
    if (kind === 'json') return await replace(join(directory, 'keepalived.json'), jsonText(dump))
    const path = await replace(join(directory, 'keepalived.stats'), statsText(dump.instances))
    if (kind === 'clear') this.#cleared = new Map(raw.instances.map((it) => [it.name, it.counts]))
    return path
  }

  #since(it: DumpInstance): DumpInstance {
    const before = this.#cleared.get(it.name)
    if (before === undefined) return it
    const counts = Object.fromEntries(
      Object.entries(it.counts).map(([key, count]) => {
        const told = before[key as keyof DumpCounts]
        // Less than was told: the instance was removed and configured again.
        return [key, count < told ? count : count - told]
      }),
    ) as DumpCounts
    return { ...it, counts }
  }
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

async function replace(path: string, text: string): Promise<string> {
  const beside = `${path}.${randomBytes(9).toString('base64url')}`
  const file = await open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    await file.writeFile(text)
    await file.close()
    // A name takes the place of whatever bears it, a symbolic link included; nothing is written through one.
    await rename(beside, path)
    return path
  } catch (error) {
    await file.close().catch(() => undefined)
    await unlink(beside).catch(() => undefined)
    throw error
  }
}
