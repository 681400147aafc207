/**
 * What is asked of the kernel for one link that vipd makes: to make it, to alter it to what it must be, to delete it. When,
 * and what follows a refusal, is decided in virtual-links.ts: each method rejects with the kernel's OpError. IPv6 settings,
 * which no request sets, are the exception: they are tried again from here.
 */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { IpvlanLink, MacvlanLink, VirtualLink } from '../base/virtual-link.ts'
import { encodeIpvlanMode } from '../wire/rtnetlink-ipvlan.ts'
import { encodeIpv4Settings } from '../wire/rtnetlink-settings.ts'
import {
  encodeLinkAlter,
  encodeLinkDelete,
  encodeNoAddressGeneration,
} from '../wire/rtnetlink-virtual-link.ts'
import { ipvlanIpv6, ipvlanLacks, type Lack } from './ipvlan-shape.ts'
import type { KernelLink } from './link-table.ts'
import type { Kernel } from './mirror.ts'
import { againAfterMs, type VirtualLinkEntry } from './virtual-link-entry.ts'
import {
  alterationOf,
  creationOf,
  type Ipv6Settings,
  ipv4Of,
  ipv6Of,
  lacksOf,
  masterOf,
} from './virtual-link-shape.ts'

export type LinkRequestPorts = {
  readonly kernel: Pick<Kernel, 'linkByIndex' | 'forwardsIpv6' | 'settingsOf' | 'addressesOn'>
  readonly log: Log
  /** One rtnetlink request, answered; rejects with OpError. */
  request(bytes: Uint8Array): Promise<unknown>
  /**
   * Has the mirror read that link. The kernel notifies neither the alias nor the settings of a link that is down
   * (netdev_state_change), and a backup's is down. Rejects with OpError.
   */
  read(ifindex: number): Promise<void>
  /** Writes settings that no request sets; resolves with why it cannot, or null. */
  setIpv6(name: string, settings: Ipv6Settings): Promise<string | null>
}

export class VirtualLinkRequests {
  readonly #ports: LinkRequestPorts
  /** The entry is in force: what failed for it is worth another try. */
  readonly #isKept: (entry: VirtualLinkEntry) => boolean

  constructor(ports: LinkRequestPorts, isKept: (entry: VirtualLinkEntry) => boolean) {
    this.#ports = ports
    this.#isKept = isKept
  }

  /** Makes it, down. */
  async create(wish: VirtualLink, base: KernelLink): Promise<void> {
    await this.#ports.request(creationOf(wish, base, this.#ports.kernel))
  }

  /** What of it is not as it must be, by name; empty: all is. */
  lacksOf(
    entry: VirtualLinkEntry,
    wish: VirtualLink,
    link: KernelLink,
    base: KernelLink,
  ): readonly string[] {
    return wish.kind === 'macvlan'
      ? lacksOf({ wish, link, base, ipv6: entry.ipv6 }, this.#ports.kernel)
      : this.#ipvlanLacks(entry, wish, link, base).map(({ what }) => what)
  }

  /** Alters it to what it must be; from then on it is ready, and the mirror has what the kernel made of it. */
  async configure(
    entry: VirtualLinkEntry,
    wish: VirtualLink,
    link: KernelLink,
    base: KernelLink,
  ): Promise<void> {
    if (wish.kind === 'macvlan') await this.#configureMacvlan(entry, wish, link, base)
    else await this.#configureIpvlan(entry, wish, link, base)
    await this.#ports.read(link.ifindex)
    entry.ready = link.ifindex
  }

  /** One that is gone already is deleted. */
  async delete({ name, ifindex }: KernelLink): Promise<void> {
    try {
      await this.#ports.request(encodeLinkDelete(ifindex))
      this.#ports.log.info(`Deleted ${name}`)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      if (error.code !== 'ENODEV') throw error
    }
  }

  async #configureMacvlan(
    entry: VirtualLinkEntry,
    wish: MacvlanLink,
    link: KernelLink,
    base: KernelLink,
  ): Promise<void> {
    const { request, kernel } = this.#ports
    const { ifindex } = link
    const alteration = alterationOf(link, base, kernel)
    if (Object.keys(alteration).length > 0) await request(encodeLinkAlter(ifindex, alteration))
    await request(encodeIpv4Settings(ifindex, ipv4Of(base, kernel)))
    await request(encodeNoAddressGeneration(ifindex)).catch(unlessNoIpv6)
    await this.#setIpv6(entry, ipv6Of(wish, base, kernel))
  }

  async #configureIpvlan(
    entry: VirtualLinkEntry,
    wish: IpvlanLink,
    link: KernelLink,
    base: KernelLink,
  ): Promise<void> {
    const { request } = this.#ports
    // Before it is up for the first time.
    if (entry.ready !== link.ifindex) {
      if (entry.besides === null) await request(encodeIpvlanMode(link.ifindex, wish.mode))
      await this.#setIpv6(entry, ipvlanIpv6(wish))
    }
    for (const lack of this.#ipvlanLacks(entry, wish, link, base)) await request(lack.request)
  }

  /** The mode is not set while another program's ipvlan has another one. */
  #ipvlanLacks(
    { besides }: VirtualLinkEntry,
    wish: IpvlanLink,
    link: KernelLink,
    base: KernelLink,
  ): readonly Lack[] {
    const { kernel } = this.#ports
    const lacks = ipvlanLacks(wish, link, masterOf(base, kernel), kernel)
    return lacks.filter(({ what }) => besides === null || what !== 'mode')
  }

  /** What cannot be set keeps no link from its use; it is said once and tried again ever later. */
  async #setIpv6(entry: VirtualLinkEntry, settings: Ipv6Settings, failures = 0): Promise<void> {
    const { log, setIpv6 } = this.#ports
    entry.ipv6 = settings
    const why = await setIpv6(entry.name, settings)
    if (why !== null && why !== entry.ipv6Refused)
      log.warn(`IPv6 settings of ${entry.name} cannot be set: ${why}`)
    entry.ipv6Refused = why
    if (why === null) return
    const again = () => {
      if (this.#isKept(entry) && entry.ipv6 === settings)
        void this.#setIpv6(entry, settings, failures + 1)
    }
    setTimeout(again, againAfterMs(failures)).unref()
  }
}

function unlessNoIpv6(error: unknown): void {
  if (!(error instanceof OpError) || !['EAFNOSUPPORT', 'EOPNOTSUPP'].includes(error.code))
    throw error
}
