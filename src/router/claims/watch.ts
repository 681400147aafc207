/**
 * The sockets that hear who else claims an address: one for each interface and family on which there is something to
 * watch, with a filter of exactly these addresses. What is wanted changes by differences.
 */
import { OpError } from '../../base/errors.ts'
import { type Family, type Ip, ipFamily } from '../../base/ip.ts'
import { type Us, us } from '../../base/time.ts'
import type {
  Frames,
  FrameWatchId,
  FrameWatchSpec,
  HeardFrame,
} from '../../engine/frames-contract.ts'
import { arpClaimFilter, claimKeys, ndClaimFilter, sentClaimFilter } from '../../wire/bpf-claims.ts'
import { type Claim, decodeClaim, etherTypes, frameMark, isGroup } from '../../wire/claim.ts'

export type HeardClaim = Claim & {
  readonly ifindex: number
  readonly at: Us
  /** Of one address and sort, since the one before. */
  readonly count: number
  /** It was for a group, as what is broadcast is. */
  readonly toGroup: boolean
  /** Copies of a frame have the same. */
  readonly mark: string
}

type Direction = FrameWatchSpec['direction']

type Watch = {
  readonly id: FrameWatchId
  readonly ifindex: number
  readonly family: Family
  /** It has these addresses. */
  since: Us
  addresses: ReadonlySet<Ip>
}

/** A filter of a thousand addresses takes a millisecond to make: it is made anew so often at most. */
const perAddressUs = 50
/** Sockets that could not be opened are tried again. */
const retryUs = 10_000_000

export class ClaimWatch {
  readonly #frames: Frames
  readonly #direction: Direction
  readonly #open = new Map<string, Watch>()
  readonly #byId = new Map<FrameWatchId, Watch>()
  #wanted: ReadonlyMap<string, ReadonlySet<Ip>> = new Map()
  #lastId = 0
  #settledAt: Us | null = null
  /** null: all is as it is wanted. */
  #dueAt: Us | null = null
  #failure: string | null = null

  /** What arrives, or what leaves this host for a group. */
  constructor(frames: Frames, direction: Direction) {
    this.#frames = frames
    this.#direction = direction
  }

  /** By `watchKey`. To be followed by `tick`. */
  want(wanted: ReadonlyMap<string, ReadonlySet<Ip>>, now: Us): void {
    this.#wanted = wanted
    let addresses = 0
    for (const each of wanted.values()) addresses += each.size
    const before = this.#settledAt
    this.#dueAt = before === null ? now : us(Math.max(now, before + addresses * perAddressUs))
  }

  get dueAt(): Us | null {
    return this.#dueAt
  }

  /** Since when it hears this address there; null: it does not. */
  since(ifindex: number, address: Ip): Us | null {
    const watch = this.#open.get(watchKey(ifindex, address))
    return watch?.addresses.has(address) === true ? watch.since : null
  }

  /** Why an interface is not watched; null: all are. */
  get failure(): string | null {
    return this.#failure
  }

  /** Opens, closes and alters what is due. */
  tick(now: Us): void {
    if (this.#dueAt === null || now < this.#dueAt) return
    this.#dueAt = null
    this.#settledAt = now
    this.#failure = null
    for (const [key, watch] of this.#open) {
      const wanted = this.#wanted.get(key)
      if (wanted === undefined) this.#close(key, watch)
      else this.#try(() => this.#alter(watch, wanted, now), now)
    }
    for (const [key, wanted] of this.#wanted)
      if (!this.#open.has(key)) this.#try(() => this.#openOne(key, wanted, now), now)
  }

  /** What frames say, of addresses that are watched there. */
  decode(frames: readonly HeardFrame[]): readonly HeardClaim[] {
    return frames.flatMap(({ watch: id, bytes, at, count }) => {
      const watch = this.#byId.get(id)
      if (watch === undefined) return []
      const claim = decodeClaim(watch.family, bytes)
      if (!claim.ok || !watch.addresses.has(claim.value.address)) return []
      const frame = { toGroup: isGroup(bytes), mark: frameMark(watch.family, bytes) }
      return [{ ...claim.value, ifindex: watch.ifindex, at, count, ...frame }]
    })
  }

  #alter(watch: Watch, wanted: ReadonlySet<Ip>, now: Us): void {
    const { addresses } = watch
    if (wanted.size === addresses.size && [...wanted].every((it) => addresses.has(it))) return
    this.#frames.setFilter(watch.id, this.#filterOf(watch, wanted))
    watch.addresses = wanted
    watch.since = now
  }

  #openOne(key: string, addresses: ReadonlySet<Ip>, since: Us): void {
    const { ifindex, family } = placeOf(key)
    const id = this.#nextId()
    const filter = this.#filterOf({ family, ifindex }, addresses)
    const spec = { watch: id, ifindex, protocol: etherTypes[family], filter }
    this.#frames.open({ ...spec, direction: this.#direction, ...claimKeys[family] })
    const watch = { id, ifindex, family, since, addresses }
    this.#open.set(key, watch)
    this.#byId.set(watch.id, watch)
  }

  /** Those of one direction are even. */
  #nextId(): FrameWatchId {
    this.#lastId += 1
    return 2 * this.#lastId + (this.#direction === 'sent' ? 1 : 0)
  }

  #filterOf(
    { family, ifindex }: Pick<Watch, 'family' | 'ifindex'>,
    addresses: ReadonlySet<Ip>,
  ): Uint8Array {
    if (this.#direction === 'sent') return sentClaimFilter(family, [...addresses])
    return (family === 4 ? arpClaimFilter : ndClaimFilter)(ifindex, [...addresses])
  }

  #close(key: string, { id }: Watch): void {
    this.#frames.close(id)
    this.#open.delete(key)
    this.#byId.delete(id)
  }

  #try(change: () => void, now: Us): void {
    try {
      change()
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      // An interface that has just gone is not wanted any more in a moment.
      if (error.code !== 'ENODEV') this.#failure = error.message
      this.#dueAt = us(now + retryUs)
    }
  }
}

export const watchKey = (ifindex: number, address: Ip): string => `${ifindex} ${ipFamily(address)}`

const placeOf = (key: string): { readonly ifindex: number; readonly family: Family } => {
  const [ifindex, family] = key.split(' ')
  return { ifindex: Number(ifindex), family: family === '6' ? 6 : 4 }
}
