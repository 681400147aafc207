/**
 * Whether the kernel still receives what our multicast links joined. It drops a membership without a word, and
 * leaves the socket open, when the device moves to another network namespace or is made anew under the same index,
 * when its IPv6 MTU sinks below 1280, and when another process that shared the group closes a socket of before. A
 * backup that is deaf so takes over beside the master. So the kernel's own list is read after each change of a link or
 * an address, and at intervals.
 */
import { readFile } from 'node:fs/promises'
import { type Family, type Ip, ipBytes } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { Engine } from '../../engine/contract.ts'
import type { LinkId } from '../../engine/order.ts'

/** A group that an open link receives on. */
export type Membership = {
  readonly link: LinkId
  readonly family: Family
  readonly interface: string
  readonly ifindex: number
  readonly group: Ip
}

export type MembershipPorts = {
  readonly engine: Pick<Engine, 'rejoin'>
  readonly log: Log
  /** What the open links joined. */
  memberships(): readonly Membership[]
  /** The kernel's list (`/proc/net/igmp`, `/proc/net/igmp6`); null when it cannot be read. */
  read(family: Family): Promise<string | null>
}

/** Between two looks: well below a down interval of the usual 3 s, and 50 times what a look takes. */
const pause = { leastMs: 1_000, afterChangeMs: 20, times: 50 }

export class Memberships {
  readonly #ports: MembershipPorts
  /** Links that could not be joined again, and why. */
  #failed = new Map<LinkId, string>()
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #again = false
  #stopped = false
  #blind = false

  constructor(ports: MembershipPorts) {
    this.#ports = ports
  }

  /** For `status`: links that hear nothing. */
  get warnings(): readonly string[] {
    const open = this.#ports.memberships()
    return open.flatMap(({ link, interface: name, group }) => {
      const why = this.#failed.get(link)
      return why === undefined
        ? []
        : [`${name} receives nothing for ${group}: the kernel dropped the membership (${why})`]
    })
  }

  /** Looks now, or soon after the look that is under way; the next one follows by itself. */
  look(): void {
    if (this.#looking) {
      this.#again = true
      return
    }
    if (this.#stopped) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#looking = true
    const began = performance.now()
    void this.#examine()
      .catch((error: unknown) => this.#ports.log.error(`Multicast memberships: ${error}`))
      .then(() => this.#rest(performance.now() - began))
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #rest(tookMs: number): void {
    this.#looking = false
    if (this.#stopped) return
    const leastMs = this.#again ? pause.afterChangeMs : pause.leastMs
    this.#again = false
    this.#timer = setTimeout(() => this.look(), Math.max(leastMs, pause.times * tookMs))
  }

  async #examine(): Promise<void> {
    const wanted = this.#ports.memberships()
    const missing = [
      ...(await this.#missing(wanted.filter((m) => m.family === 4))),
      ...(await this.#missing(wanted.filter((m) => m.family === 6))),
    ]
    this.#failed = new Map([...this.#failed].filter(([id]) => missing.some((m) => m.link === id)))
    if (missing.length > 0) await this.#rejoin(missing)
  }

  async #missing(wanted: readonly Membership[]): Promise<readonly Membership[]> {
    const [first] = wanted
    if (first === undefined) return []
    const text = await this.#ports.read(first.family)
    if (text === null) {
      if (!this.#blind)
        this.#ports.log.warn('Multicast memberships cannot be watched: /proc/net is not readable')
      this.#blind = true
      return []
    }
    const there = joinedGroups(first.family, text)
    return wanted.filter((m) => !there.has(keyOf(m.ifindex, m.group)))
  }

  async #rejoin(missing: readonly Membership[]): Promise<void> {
    const { engine, log, memberships } = this.#ports
    // What was closed meanwhile needs nothing.
    const open = new Set(this.#stopped ? [] : memberships().map((m) => m.link))
    const lost = missing.filter((m) => open.has(m.link))
    if (lost.length === 0) return
    const failed = new Map(
      (await engine.rejoin(lost.map((m) => m.link))).map((f) => [f.link, `${f.call}: ${f.code}`]),
    )
    for (const { link, interface: name, group } of lost) {
      const why = failed.get(link)
      const before = this.#failed.get(link)
      if (why === undefined) {
        this.#failed.delete(link)
        log.warn(`${name} had lost its membership of ${group}: joined again`, { interface: name })
      } else if (why !== before) {
        this.#failed.set(link, why)
        log.warn(`${name} has lost its membership of ${group}: ${why}`, { interface: name })
      }
    }
  }
}

const keyOf = (ifindex: number, group: Ip): string =>
  `${ifindex} ${Buffer.from(ipBytes(group)).toString('hex')}`

/**
 * Interface and group of each line of /proc/net/igmp (a line for the interface, then one for each group, its octets as
 * a number of this machine) or /proc/net/igmp6 (both in one line, the group's octets in order).
 */
export function joinedGroups(family: Family, text: string): ReadonlySet<string> {
  return new Set(family === 4 ? groupsOf4(text) : groupsOf6(text))
}

function groupsOf4(text: string): string[] {
  let ifindex = ''
  return text.split('\n').flatMap((line) => {
    const group = /^\s+([0-9A-F]{8})\s/.exec(line)?.[1]
    if (group !== undefined) return [`${ifindex} ${octetsOf(group)}`]
    ifindex = /^(\d+)\s/.exec(line)?.[1] ?? ifindex
    return []
  })
}

const groupsOf6 = (text: string): string[] =>
  [...text.matchAll(/^(\d+)\s+\S+\s+([0-9a-f]{32})\s/gm)].map(([, index, hex]) => `${index} ${hex}`)

/** A 32-bit number as it lies in this machine's memory, in hexadecimal. */
function octetsOf(number: string): string {
  const octets = new Uint8Array(Uint32Array.of(Number.parseInt(number, 16)).buffer)
  return Buffer.from(octets).toString('hex')
}

/** RCU alone guards these files in the kernel: reading them waits for no lock. */
export async function readMemberships(family: Family): Promise<string | null> {
  try {
    return await readFile(family === 4 ? '/proc/net/igmp' : '/proc/net/igmp6', 'latin1')
  } catch {
    return null
  }
}
