/**
 * Several hosts on one machine, joined by a switch. The switch is a host too: it has a bridge per segment,
 * and a port per host and segment. Interface eth0 of every host is on segment eth0, eth1 on eth1, …
 * Nothing is created in the machine's own network, and everything ends with this process.
 */
import { Capture, type CaptureOptions } from './capture.ts'
import { Host } from './host.ts'

export type HostSpec = {
  /** Interface → addresses with prefix length: `{ eth0: ['172.16.80.2/24'] }`. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
}

export class Lab {
  readonly name: string
  readonly hosts: Host[] = []
  readonly #switch: Host
  /** Segments that are there or are being made. */
  readonly #segments = new Map<string, Promise<void>>()
  readonly #place = new Map<Host, number>()
  #places = 1

  private constructor(name: string, hub: Host) {
    this.name = name
    this.#switch = hub
  }

  static async open(name: string): Promise<Lab> {
    return new Lab(name, await Host.open('switch'))
  }

  /** Creates a host and plugs it in. Names have at most 8 characters. */
  async host(name: string, spec: HostSpec): Promise<Host> {
    const place = this.#places++
    const host = await Host.open(name)
    this.hosts.push(host)
    this.#place.set(host, place)
    for (const [link, addresses] of Object.entries(spec.addresses)) {
      await this.connect(host, link, addresses)
    }
    return host
  }

  /** Gives the host an interface on the segment of that name, under an index of the caller's choice or a free one. */
  async connect(
    host: Host,
    link: string,
    addresses: readonly string[],
    ifindex: number | null = null,
  ): Promise<void> {
    await this.#segment(link)
    const port = portOf(host, link)
    const index = ifindex === null ? [] : ['index', String(ifindex)]
    const named = ['peer', 'name', link, 'address', this.mac(host, link), ...index]
    const peer = [...named, 'netns', String(host.pid)]
    // veth heeds the index of one end only when both ends have one; the switch's own are small numbers.
    const ours = ifindex === null ? [] : ['index', String(10_000 + this.#places * 100 + ifindex)]
    await this.#hub(['link', 'add', port, ...ours, 'type', 'veth', ...peer])
    await this.#hub(['link', 'set', port, 'master', link, 'up'])
    await host.must('ip', ['link', 'set', link, 'up'])
    for (const address of addresses) {
      const nodad = address.includes(':') ? ['nodad'] : []
      await host.must('ip', ['address', 'add', address, 'dev', link, ...nodad])
    }
  }

  /** The switch sends what the host broadcasts back to it as well, as a hub or a loop does. */
  async reflect(host: Host, link = 'eth0'): Promise<void> {
    await this.#switch.must('bridge', ['link', 'set', 'dev', portOf(host, link), 'hairpin', 'on'])
  }

  /** Destroys the interface, as if the card were pulled out. `connect` brings it back with another index. */
  async disconnect(host: Host, link = 'eth0'): Promise<void> {
    await this.#hub(['link', 'delete', portOf(host, link)])
  }

  /** The host goes on, with carrier, but nothing that it sends arrives anywhere, nor the other way. */
  async cut(host: Host, link = 'eth0'): Promise<void> {
    await this.#hub(['link', 'set', portOf(host, link), 'nomaster'])
  }

  /** Undoes `cut`. */
  async heal(host: Host, link = 'eth0'): Promise<void> {
    await this.#hub(['link', 'set', portOf(host, link), 'master', link])
  }

  /** The host's interface loses carrier. */
  async unplug(host: Host, link = 'eth0'): Promise<void> {
    await this.#hub(['link', 'set', portOf(host, link), 'down'])
  }

  /** Undoes `unplug`. */
  async plug(host: Host, link = 'eth0'): Promise<void> {
    await this.#hub(['link', 'set', portOf(host, link), 'up'])
  }

  /** Drops that share of the frames, 0..100, each way between the host and the switch. Needs nft(8). */
  async loss(host: Host, percent: number, link = 'eth0'): Promise<void> {
    const port = portOf(host, link)
    const table = `netdev loss_${port.replace(/\W/g, '_')}`
    const threshold = Math.round(percent * 100)
    const chain = (hook: string) =>
      [
        `add chain ${table} ${hook} { type filter hook ${hook} device "${port}" priority 0; }`,
        `add rule ${table} ${hook} numgen random mod 10000 <= ${threshold - 1} drop`,
      ].join('\n')
    const rules = [`add table ${table}`, `delete table ${table}`]
    if (threshold > 0) rules.push(`add table ${table}`, chain('ingress'), chain('egress'))
    await this.#switch.sh(`nft -f - <<'RULES'\n${rules.join('\n')}\nRULES`)
  }

  /** Everything that the switch forwards on a segment, with the kernel's time stamps. Needs tcpdump(8), without root dumpcap(1). */
  async capture(options: CaptureOptions = {}): Promise<Capture> {
    const segment = options.segment ?? 'eth0'
    await this.#segment(segment)
    const { port, filter } = options
    const on = port === undefined ? segment : portOf(port, segment)
    return Capture.open(this.#switch, on, filter)
  }

  /** Ends every host and whatever runs in it. */
  async close(): Promise<void> {
    await Promise.all([...this.hosts, this.#switch].map((host) => host.close()))
  }

  /** Of the host's interface. It grows in the order in which hosts were asked for, and so does the link-local address made from it. */
  mac(host: Host, link = 'eth0'): string {
    const octet = (n: number) => n.toString(16).padStart(2, '0')
    const number = Number(/\d{1,2}$/.exec(link)?.[0] ?? 0)
    return `02:00:00:00:${octet(number)}:${octet(this.#place.get(host) ?? 0)}`
  }

  /** Hosts are opened side by side: the second waits until the bridge that the first asked for is there. */
  #segment(name: string): Promise<void> {
    const made = this.#segments.get(name) ?? this.#makeSegment(name)
    this.#segments.set(name, made)
    return made
  }

  async #makeSegment(name: string): Promise<void> {
    const quiet = ['mcast_snooping', '0', 'forward_delay', '0', 'stp_state', '0']
    await this.#hub(['link', 'add', name, 'type', 'bridge', ...quiet])
    await this.#hub(['link', 'set', name, 'up'])
  }

  /** Only the switch's network is entered: the process ids in `netns PID` are this process's. */
  #hub(args: readonly string[]): Promise<string> {
    return this.#switch.ip(args)
  }
}

/** At most the kernel's 15 characters: of a longer name, the end of the interface's. */
const portOf = (host: Host, link: string): string =>
  `${host.name}-${link.slice(-(interfaceNameMax - host.name.length - 1))}`
const interfaceNameMax = 15

/** Opens an empty lab. Close it in a finally; it also ends with this process. */
export const openLab = (options: { readonly name: string }): Promise<Lab> => Lab.open(options.name)
