/**
 * A router of one of our VRIDs that speaks by unicast where the instance here is multicast, or the other way round. The
 * receiving socket is bound to the group, or to the source, so neither hears the other, and both are master. While an
 * instance leads, what arrives on its interface is looked at for some adverts' time, soon after it begins and then every
 * minute. A network card may withhold multicast that no socket has joined: then the multicast side alone can see it.
 */
import { OpError } from '../../base/errors.ts'
import type { Ip } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { Us } from '../../base/time.ts'
import type { SlotId } from '../../engine/contract.ts'
import { incomingFilter } from '../../wire/bpf.ts'
import { type Incoming, readIncoming } from '../../wire/incoming.ts'
import type { Outgoing } from './same-host.ts'

/** An instance that takes part. */
export type Participant = {
  readonly slot: SlotId
  readonly name: string
  readonly family: 4 | 6
  readonly vrid: number
  readonly ifindex: number
  readonly interface: string
  readonly advertIntervalUs: Us
  /** null: multicast. */
  readonly peers: readonly Ip[] | null
  readonly source: Ip
  readonly leads: boolean
}

export type OtherTransportPorts = {
  readonly sockets: Outgoing
  readonly log: Log
  participants(): readonly Participant[]
}

const everyMs = 5_000
const againMs = 60_000
/** A look takes so many adverts of the slowest leader, within these bounds. */
const lookAdverts = 3
const lookMs = { least: 2_000, most: 20_000 }
const readMs = 50
/** Then the look is over: a flood of adverts must not keep this thread busy. */
const packetsMax = 2_000

export class OtherTransport {
  readonly #ports: OtherTransportPorts
  readonly #looked = new Map<SlotId, number>()
  readonly #found = new Map<SlotId, string>()
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #stopped = false

  constructor(ports: OtherTransportPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(performance.now()), everyMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const leading = new Set(this.#leaders().map(({ slot }) => slot))
    return [...this.#found].flatMap(([slot, text]) => (leading.has(slot) ? [text] : []))
  }

  /** Looks at the interfaces of the leaders that are due, one after the other. `nowMs`: monotonic. */
  async look(nowMs: number): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const leaders = this.#leaders()
    for (const slot of this.#looked.keys())
      if (!leaders.some((it) => it.slot === slot)) this.#looked.delete(slot)
    const due = leaders.filter(({ slot }) => {
      const looked = this.#looked.get(slot)
      return looked === undefined || nowMs - looked >= againMs
    })
    for (const ifindex of new Set(due.map((it) => it.ifindex))) {
      const here = due.filter((it) => it.ifindex === ifindex)
      for (const { slot } of here) this.#looked.set(slot, nowMs)
      if (!this.#stopped) await this.#lookAt(ifindex, here)
    }
    this.#looking = false
  }

  #leaders(): readonly Participant[] {
    return this.#ports.participants().filter(({ leads }) => leads)
  }

  async #lookAt(ifindex: number, leaders: readonly Participant[]): Promise<void> {
    const heard = await this.#listen(ifindex, leaders)
    if (heard === null || this.#stopped) return
    const all = this.#ports.participants()
    for (const leader of leaders) {
      const stranger = heard.find((it) => isUnheard(it, leader, all)) ?? null
      this.#report(leader, stranger)
    }
  }

  /** Every sender once; null when the interface cannot be looked at. */
  async #listen(
    ifindex: number,
    leaders: readonly Participant[],
  ): Promise<readonly Incoming[] | null> {
    const { sockets } = this.#ports
    const slowestMs = Math.max(...leaders.map((it) => it.advertIntervalUs)) / 1_000
    const spanMs = Math.min(Math.max(lookAdverts * slowestMs, lookMs.least), lookMs.most)
    const heard = new Map<string, Incoming>()
    let fd: number
    try {
      fd = sockets.open(ifindex, incomingFilter())
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      return null
    }
    try {
      const end = performance.now() + spanMs
      let packets = 0
      while (performance.now() < end && packets < packetsMax && !this.#stopped) {
        await pause(readMs)
        for (const packet of sockets.read(fd)) {
          packets += 1
          const advert = readIncoming(packet)
          if (advert !== null) heard.set(JSON.stringify(advert), advert)
        }
      }
    } finally {
      sockets.close(fd)
    }
    return [...heard.values()]
  }

  #report({ slot, name, vrid, interface: on, peers }: Participant, it: Incoming | null): void {
    const known = this.#found.get(slot)
    if (it === null) {
      if (this.#found.delete(slot))
        this.#ports.log.info(`(${name}) no router sends VRID ${vrid} in another way any more`)
      return
    }
    const ours = peers === null ? 'multicast' : 'unicast'
    const text = `${it.from} sends adverts of VRID ${vrid} by ${it.by} on ${on}, and this instance is ${ours}: neither hears the other. Write unicast_peer on both or on neither`
    this.#found.set(slot, `${name} is MASTER, but ${text}`)
    if (known === undefined) this.#ports.log.error(`(${name}) ${text}`, { instance: name })
  }
}

/** Sent in the way that the leader does not hear, by one whom it should, and meant for no other instance here. */
function isUnheard(it: Incoming, leader: Participant, all: readonly Participant[]): boolean {
  const isOurs = ({ family, vrid }: Participant) => family === it.family && vrid === it.vrid
  if (!isOurs(leader) || it.from === leader.source) return false
  if (leader.peers !== null) return it.by === 'multicast' && leader.peers.includes(it.from)
  const meant = all.some((other) => isOurs(other) && other.peers?.includes(it.from) === true)
  return it.by === 'unicast' && !meant
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
