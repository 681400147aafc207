/**
 * Frames that arrive with a MAC address of this host: its own, come back (a hub, a loop of bridges, a switch that mirrors),
 * or those of another machine with the same MAC address (a copied virtual machine, a second router with the same virtual
 * one). The first such frame of an interface makes it listen to what leaves the host; from then on a frame that this host
 * has not sent within a second is another machine's. Where it cannot be told it counts as our own.
 */
import type { Ip } from '../../base/ip.ts'
import type { MacText } from '../../base/mac.ts'
import { type Us, us } from '../../base/time.ts'
import type { HeardClaim } from './watch.ts'

/** An interface on which frames with our MAC addresses have arrived. */
type Place = {
  readonly ifindex: number
  readonly macs: Set<MacText>
  readonly addresses: Set<Ip>
  lastAt: Us
  /** Of another machine; null: none has come. */
  foreignAt: Us | null
  /** Frames that were our own, since it listens. */
  own: number
  listening: boolean
  /** It does not listen again before. */
  pausedUntil: Us
  pauseUs: number
}

type Sent = Pick<HeardClaim, 'address' | 'at' | 'mark'>

/** What is to be listened to: what leaves by this interface and by those with these MAC addresses. */
export type Look = {
  readonly ifindex: number
  readonly macs: ReadonlySet<MacText>
  readonly addresses: ReadonlySet<Ip>
}

/** Since when all that may have sent the frame is listened to; null: not all is. */
type ListeningSince = (claim: HeardClaim) => Us | null

/** A frame is judged so long after it has come: what was sent is read by then, on a busy host too. */
const judgedUs = 100_000
/** A frame comes back within this. Longer on its way is only what goes round in a loop. */
const backUs = 1_000_000
/** So many frames at once are a loop, and no machine that speaks. */
const loopCount = 8
/**
 * Of one address four frames a second are told, eight at once (frames.ts). So many within two seconds: others may have left
 * that were not told.
 */
const blurred = { count: 8, withinUs: 2_000_000 }
/** It listens so long after the last frame: a kernel confirms a neighbour each half minute. */
const listensUs = 300_000_000
/** After so many of our own and no other it listens no more, for so long, and twice as long each time. */
const enough = { own: 3, pauseUs: 60_000_000, longestUs: 3_600_000_000 }
/** Frames with our MAC addresses that wait to be judged, frames that were sent, interfaces. Beyond, they are our own. */
const [waitingMax, sentMax, placesMax] = [64, 512, 16]

export class OwnFrames {
  readonly #places = new Map<number, Place>()
  readonly #sent: Sent[] = []
  #waiting: HeardClaim[] = []
  #changed = false

  /** Left this host. */
  sent({ address, at, mark }: HeardClaim): void {
    this.#sent.push({ address, at, mark })
    if (this.#sent.length > sentMax) this.#sent.shift()
  }

  /** Arrived for a group, with a MAC address of this host. */
  heard(claim: HeardClaim, now: Us): void {
    const place = this.#placeOf(claim, now)
    if (place === null) return
    place.lastAt = now
    const { macs, addresses } = place
    const known = macs.has(claim.mac) && addresses.has(claim.address)
    if (!known) this.#changed = true
    macs.add(claim.mac)
    addresses.add(claim.address)
    if (this.#waiting.length < waitingMax) this.#waiting.push(claim)
  }

  /** Those of another machine among what was heard. */
  tick(now: Us, since: ListeningSince): readonly HeardClaim[] {
    const ripe = this.#waiting.filter(({ at }) => at + judgedUs <= now)
    if (ripe.length > 0) this.#waiting = this.#waiting.filter(({ at }) => at + judgedUs > now)
    const foreign = ripe.filter((claim) => this.#isForeign(claim, since))
    while ((this.#sent[0]?.at ?? now) < now - blurred.withinUs - backUs) this.#sent.shift()
    for (const place of this.#places.values()) this.#rest(place, now)
    return foreign
  }

  /** Nothing is watched any more. */
  end(): void {
    this.#waiting = []
    for (const place of this.#listening) {
      place.listening = false
      this.#changed = true
    }
  }

  /** When `tick` has something to do; null: never. */
  due(): Us | null {
    const instants = [
      ...this.#waiting.map(({ at }) => at + judgedUs),
      ...this.#listening.map(({ lastAt }) => lastAt + listensUs),
    ]
    return instants.length === 0 ? null : us(Math.min(...instants))
  }

  /** What is to be listened to, if that has changed since it was asked last; else null. */
  changedLooks(): readonly Look[] | null {
    if (!this.#changed) return null
    this.#changed = false
    return this.#listening
  }

  get #listening(): readonly Place[] {
    return [...this.#places.values()].filter(({ listening }) => listening)
  }

  #isForeign(claim: HeardClaim, since: ListeningSince): boolean {
    const place = this.#places.get(claim.ifindex)
    if (place === undefined) return false
    const { at, mark, address, count } = claim
    const until = at + judgedUs
    if (this.#sent.some((it) => it.mark === mark && it.at >= at - backUs && it.at <= until)) {
      place.own += 1
      return false
    }
    const listening = since(claim)
    if (listening === null || at - listening < backUs || count > loopCount) return false
    const lately = this.#sent.filter(
      (it) => it.address === address && it.at >= at - blurred.withinUs && it.at <= until,
    )
    if (lately.length >= blurred.count || this.#sent.length === sentMax) return false
    place.foreignAt = at
    return true
  }

  #rest(place: Place, now: Us): void {
    const { foreignAt, lastAt, own, listening } = place
    if (!listening) return
    const silent = now - lastAt >= listensUs
    const alone = foreignAt === null || now - foreignAt >= listensUs
    if (!silent && (own < enough.own || !alone)) return
    place.listening = false
    this.#changed = true
    if (silent) return
    place.pausedUntil = us(now + place.pauseUs)
    place.pauseUs = Math.min(2 * place.pauseUs, enough.longestUs)
  }

  /** null: nothing is to be learnt there now. */
  #placeOf({ ifindex }: HeardClaim, now: Us): Place | null {
    const known = this.#places.get(ifindex)
    if (known !== undefined) {
      if (now < known.pausedUntil) return null
      // What was judged since it stopped does not count.
      if (!known.listening) {
        Object.assign(known, { listening: true, own: 0, foreignAt: null })
        this.#changed = true
      }
      return known
    }
    if (this.#places.size >= placesMax) this.#forgetOne()
    if (this.#places.size >= placesMax) return null
    const place = {
      ...{ ifindex, macs: new Set<MacText>(), addresses: new Set<Ip>(), lastAt: now },
      ...{ foreignAt: null, own: 0, listening: true, pausedUntil: now, pauseUs: enough.pauseUs },
    }
    this.#places.set(ifindex, place)
    return place
  }

  #forgetOne(): void {
    for (const [ifindex, { listening }] of this.#places)
      if (!listening) return void this.#places.delete(ifindex)
  }
}
