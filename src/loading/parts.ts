/**
 * A configuration in parts: what crosses between threads is unpacked by the thread that takes it, and 300,000
 * addresses at once would hold that thread for a second. Parts are fetched one by one, with its other work between.
 */
import { noStatics, type Statics } from '../config/statics.ts'
import type { BfdInstance, Config, Instance, Script, SyncGroup } from '../config/types.ts'
import type { Loaded } from './load.ts'

export type Part = {
  readonly scripts: readonly Script[]
  readonly instances: readonly Instance[]
  readonly groups: readonly SyncGroup[]
  readonly bfd: readonly BfdInstance[]
  readonly statics: Statics
}

/** An instance is never divided; lines-limits.ts bounds what it may hold. */
const weightMax = 1_000

export function* partsOf(config: Config): Generator<Part> {
  const none: Part = { scripts: [], instances: [], groups: [], bfd: [], statics: noStatics }
  for (const scripts of chunks(config.scripts, () => 1)) yield { ...none, scripts }
  for (const instances of chunks(config.instances, weightOf)) yield { ...none, instances }
  for (const groups of chunks(config.groups, ({ members }) => 1 + members.length))
    yield { ...none, groups }
  for (const bfd of chunks(config.bfd, () => 1)) yield { ...none, bfd }
  for (const statics of staticsInParts(config.statics)) yield { ...none, statics }
}

function* staticsInParts({ addresses, routes, rules }: Statics): Generator<Statics> {
  for (const some of chunks(addresses, () => 1)) yield { ...noStatics, addresses: some }
  for (const some of chunks(routes, () => 1)) yield { ...noStatics, routes: some }
  for (const some of chunks(rules, () => 1)) yield { ...noStatics, rules: some }
}

function weightOf({
  addresses,
  excluded,
  routes,
  rules,
  transport,
  trackChecks,
  trackInterfaces,
}: Instance): number {
  const peers = transport.kind === 'unicast' ? transport.peers.length : 0
  const lists = [addresses, excluded, routes, rules, trackChecks, trackInterfaces]
  return lists.reduce((sum, list) => sum + list.length, 1 + peers)
}

function* chunks<T>(list: readonly T[], weigh: (item: T) => number): Generator<readonly T[]> {
  let chunk: T[] = []
  let weight = 0
  for (const item of list) {
    chunk.push(item)
    weight += weigh(item)
    if (weight < weightMax) continue
    yield chunk
    chunk = []
    weight = 0
  }
  if (chunk.length > 0) yield chunk
}

/** What the reading thread says of one request: the head, then the parts, then null. */
export type Piece =
  /** `globals`: null: there is no configuration, and no part follows. */
  | {
      readonly kind: 'loaded'
      readonly loaded: Omit<Loaded, 'config'>
      readonly globals: Config['globals'] | null
    }
  /** null: there are no more. */
  | { readonly kind: 'part'; readonly part: Part | null }

/** Puts the pieces together again. */
export class Assembly {
  readonly #scripts: Script[] = []
  readonly #instances: Instance[] = []
  readonly #groups: SyncGroup[] = []
  readonly #bfd: BfdInstance[] = []
  readonly #statics = { addresses: [], routes: [], rules: [] } as {
    readonly [K in keyof Statics]: Statics[K][number][]
  }
  #loaded: Omit<Loaded, 'config'> | null = null
  #globals: Config['globals'] | null = null

  /** The whole, with its last piece; null while more must come. */
  take(piece: Piece): Loaded | null {
    if (piece.kind === 'loaded') {
      this.#loaded = piece.loaded
      this.#globals = piece.globals
      return piece.globals === null ? { ...piece.loaded, config: null } : null
    }
    if (piece.part !== null) this.#add(piece.part)
    else if (this.#loaded !== null && this.#globals !== null)
      return { ...this.#loaded, config: this.#config(this.#globals) }
    return null
  }

  #add({ scripts, instances, groups, bfd, statics }: Part): void {
    for (const one of scripts) this.#scripts.push(one)
    for (const one of instances) this.#instances.push(one)
    for (const one of groups) this.#groups.push(one)
    for (const one of bfd) this.#bfd.push(one)
    for (const one of statics.addresses) this.#statics.addresses.push(one)
    for (const one of statics.routes) this.#statics.routes.push(one)
    for (const one of statics.rules) this.#statics.rules.push(one)
  }

  #config(globals: Config['globals']): Config {
    return {
      globals,
      scripts: this.#scripts,
      instances: this.#instances,
      groups: this.#groups,
      bfd: this.#bfd,
      statics: this.#statics,
    }
  }
}
