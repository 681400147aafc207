/** The objects that are served: the daemon and its instances, with their paths, from a status and the transitions since. */
import type { Removal } from '../../report/event.ts'
import { type StatusInstance, stateAfter, type Transition } from '../../report/status.ts'
import type { DbusConfig } from './messages.ts'

/** keepalived's numbers and words. */
const states = {
  INIT: [0, 'Init'],
  BACKUP: [1, 'Backup'],
  MASTER: [2, 'Master'],
  FAULT: [3, 'Fault'],
  DELETED: [97, 'Deleted'],
  STOP: [98, 'Stop'],
} as const satisfies Record<StatusInstance['state'] | Removal, readonly [number, string]>

export type InstanceObject = {
  readonly path: string
  readonly name: string
  readonly state: keyof typeof states
}

export const codeOf = ({ state }: InstanceObject): number => states[state][0]
export const wordOf = ({ state }: InstanceObject): string => states[state][1]

export class Objects {
  /** Of the daemon. */
  readonly vrrpPath: string
  /** Instances whose path another one has already. */
  readonly hidden: readonly string[]
  readonly #byPath = new Map<string, InstanceObject>()
  readonly #paths = new Map<string, string>()
  /** The last parts of the paths below a path. */
  readonly #children = new Map<string, Set<string>>()

  /** `removed`: by name, those that a reload takes out, which a status made meanwhile may still have. */
  constructor(
    instances: readonly StatusInstance[],
    config: DbusConfig,
    removed: ReadonlyMap<string, Removal> = new Map(),
  ) {
    const root = ['', 'org', 'keepalived', 'Vrrp1', ...config.within.map(pathPart)].join('/')
    const hidden: string[] = []
    this.vrrpPath = `${root}/Vrrp`
    this.#place(this.vrrpPath)
    for (const it of instances) {
      const on = pathPart(it.interface ?? config.noInterface)
      const path = `${root}/Instance/${on}/${it.vrid}/IPv${it.family}`
      if (this.#byPath.has(path)) hidden.push(it.name)
      else {
        const state = removed.get(it.name) ?? it.state
        this.#byPath.set(path, { path, name: it.name, state })
        this.#paths.set(it.name, path)
        this.#place(path)
      }
    }
    this.hidden = hidden
  }

  get instances(): readonly InstanceObject[] {
    return [...this.#byPath.values()]
  }

  /** null: there is none. */
  at(path: string): InstanceObject | null {
    return this.#byPath.get(path) ?? null
  }

  /** The last parts of the paths below; null: nothing is there nor below. */
  below(path: string): readonly string[] | null {
    const children = this.#children.get(path)
    if (children !== undefined) return [...children]
    return this.#byPath.has(path) || path === this.vrrpPath ? [] : null
  }

  /** The instance as it is now; null: it is not known here. */
  apply(what: Transition, removal: Removal | null): InstanceObject | null {
    const path = this.#paths.get(what.instance)
    const before = path === undefined ? undefined : this.#byPath.get(path)
    if (before === undefined) return null
    const after = { ...before, state: removal ?? stateAfter(what) }
    this.#byPath.set(before.path, after)
    return after
  }

  #place(path: string): void {
    const parts = path.split('/').slice(1)
    parts.forEach((part, i) => {
      const above = i === 0 ? '/' : `/${parts.slice(0, i).join('/')}`
      const known = this.#children.get(above)
      if (known === undefined) this.#children.set(above, new Set([part]))
      else known.add(part)
    })
  }
}

/** Octets that a path may not have become `_`, as keepalived has it. */
const pathPart = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '_')
