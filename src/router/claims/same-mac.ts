/**
 * Another machine with a MAC address of this host: what leaves the host is listened to where it has to be (own-frames.ts),
 * by sockets that are there for that time alone.
 */
import type { Ip } from '../../base/ip.ts'
import { type MacText, macText } from '../../base/mac.ts'
import { minUs, type Us, us } from '../../base/time.ts'
import type { Frames, HeardFrame } from '../../engine/frames-contract.ts'
import { OwnFrames } from './own-frames.ts'
import { ClaimWatch, type HeardClaim, watchKey } from './watch.ts'

/** The interfaces of this host. */
type OwnLinks = {
  readonly linkNames: readonly string[]
  linkByName(name: string): { readonly ifindex: number; readonly mac: Uint8Array | null } | null
}

/** With more interfaces of one MAC address (VLANs) it is not told which of them has sent. */
const interfacesMax = 8

export class SameMac {
  readonly #own: OwnLinks
  readonly #sent: ClaimWatch
  readonly #frames = new OwnFrames()
  /** The interfaces by their MAC address; null: to be asked for. */
  #links: ReadonlyMap<MacText, readonly number[]> | null = null

  constructor(frames: Frames, own: OwnLinks) {
    this.#own = own
    this.#sent = new ClaimWatch(frames, 'sent')
  }

  /** Links changed. */
  kernelChanged(): void {
    this.#links = null
  }

  isOwn(mac: MacText): boolean {
    return this.#linksWith(mac).length > 0
  }

  /** What left the host. Before what arrived with it is given to `heard`. */
  onFrames(frames: readonly HeardFrame[]): void {
    for (const claim of this.#sent.decode(frames)) this.#frames.sent(claim)
  }

  /** Arrived with a MAC address of this host. To be followed by `tick`. */
  heard(claim: HeardClaim, now: Us): void {
    // An answer to this host's own MAC address does not reach it: a switch knows that address behind this port.
    if (claim.toGroup) this.#frames.heard(claim, now)
  }

  /** What another machine has sent. */
  tick(now: Us): readonly HeardClaim[] {
    const foreign = this.#frames.tick(now, (claim) => this.#listeningSince(claim))
    this.#follow(now)
    return foreign
  }

  dueAt(): Us | null {
    const [frames, sockets] = [this.#frames.due(), this.#sent.dueAt]
    return frames === null || sockets === null ? (frames ?? sockets) : minUs(frames, sockets)
  }

  /** No instance leads any more. To be followed by `tick`. */
  end(): void {
    this.#frames.end()
  }

  #follow(now: Us): void {
    const looks = this.#frames.changedLooks()
    if (looks !== null) {
      const wanted = new Map<string, Set<Ip>>()
      for (const { ifindex, macs, addresses } of looks) {
        for (const on of new Set([ifindex, ...[...macs].flatMap((mac) => this.#senders(mac))])) {
          for (const address of addresses) {
            const key = watchKey(on, address)
            wanted.set(key, (wanted.get(key) ?? new Set()).add(address))
          }
        }
      }
      this.#sent.want(wanted, now)
    }
    this.#sent.tick(now)
  }

  #listeningSince({ ifindex, mac, address }: HeardClaim): Us | null {
    const links = this.#linksWith(mac)
    if (links.length > interfacesMax) return null
    let latest = 0
    for (const on of new Set([ifindex, ...links])) {
      const since = this.#sent.since(on, address)
      if (since === null) return null
      latest = Math.max(latest, since)
    }
    return us(latest)
  }

  #senders(mac: MacText): readonly number[] {
    const links = this.#linksWith(mac)
    return links.length > interfacesMax ? [] : links
  }

  #linksWith(mac: MacText): readonly number[] {
    this.#links ??= this.#readLinks()
    return this.#links.get(mac) ?? []
  }

  #readLinks(): ReadonlyMap<MacText, readonly number[]> {
    const links = new Map<MacText, number[]>()
    for (const name of this.#own.linkNames) {
      const link = this.#own.linkByName(name)
      if (link?.mac == null) continue
      const mac = macText(link.mac)
      links.set(mac, [...(links.get(mac) ?? []), link.ifindex])
    }
    return links
  }
}
