/**
 * The control sockets of groups, opened and closed as the configuration says, also at a reload. They are files of their own,
 * so that the kernel checks the group, readers take no connection from the daemon's user, and a container can be given one.
 */
import { chmodSync, statSync } from 'node:fs'
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ControlGroup, Globals } from '../config/types.ts'
import { type Control, type ControlHandlers, startControl } from '../control/server.ts'
import { groupSocketPath } from './paths.ts'

type GroupRight = 'read' | 'push'

const keywords = { read: 'vipd_control_group', push: 'vipd_push_group' } as const
/** After a socket could not be opened. */
const againMs = 10_000

export type GroupSocketsOptions = {
  readonly runDir: string
  readonly handlers: ControlHandlers
  readonly log: Log
}

export class GroupSockets {
  readonly #sockets: readonly GroupSocket[]

  constructor(options: GroupSocketsOptions) {
    this.#sockets = [new GroupSocket('read', options), new GroupSocket('push', options)]
  }

  follow({ controlGroup, pushGroup }: Pick<Globals, 'controlGroup' | 'pushGroup'>): void {
    for (const it of this.#sockets) it.follow(it.right === 'read' ? controlGroup : pushGroup)
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    return this.#sockets.flatMap(({ failure }) => failure ?? [])
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sockets.map((it) => it.stop()))
  }
}

class GroupSocket {
  readonly right: GroupRight
  readonly #options: GroupSocketsOptions
  #failure: string | null = null
  #wanted: ControlGroup | null = null
  /** The group that the open socket has. */
  #gid: number | null = null
  #control: Control | null = null
  /** One change after the other. */
  #last: Promise<void> = Promise.resolve()
  #again: NodeJS.Timeout | null = null

  constructor(right: GroupRight, options: GroupSocketsOptions) {
    this.right = right
    this.#options = options
  }

  get failure(): string | null {
    return this.#failure
  }

  follow(group: ControlGroup | null): void {
    this.#wanted = group
    this.#last = this.#last.then(() => this.#settle())
  }

  async stop(): Promise<void> {
    this.follow(null)
    await this.#last
  }

  async #settle(): Promise<void> {
    const wanted = this.#wanted
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = null
    if ((wanted?.gid ?? null) === this.#gid) return
    await this.#control?.close()
    this.#control = null
    this.#gid = null
    this.#failure = null
    if (wanted !== null) await this.#open(wanted)
  }

  async #open({ name, gid }: ControlGroup): Promise<void> {
    const { runDir, handlers, log } = this.#options
    const { right } = this
    try {
      letIn(runDir)
      const path = groupSocketPath(runDir, right)
      this.#control = await startControl({ path, handlers, log, right, gid })
      this.#gid = gid
      log.info(`Group ${name} may ${right === 'read' ? 'read' : 'push results'} at ${path}`)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      const remedy =
        error.code === 'EPERM'
          ? `; the daemon must be a member of ${name} for that (SupplementaryGroups=${name} of the unit)`
          : ''
      const failure = `${keywords[right]} ${name}: ${error.message}${remedy}`
      if (this.#failure !== failure) log.error(failure)
      this.#failure = failure
      this.#again = setTimeout(() => this.follow(this.#wanted), againMs)
      this.#again.unref()
    }
  }
}

/** A strict umask has made a run directory that only its owner may enter. Throws OpError. */
function letIn(directory: string): void {
  const open = 0o055
  const mode = statSync(directory).mode & 0o7777
  if ((mode & open) === open) return
  try {
    chmodSync(directory, mode | open)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    throw new OpError('chmod', code, directory)
  }
}
