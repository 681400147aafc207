/**
 * What crosses a segment of the lab, with the kernel's time stamps: a sniffer on the switch's bridge, which in
 * promiscuous mode is shown every frame that the bridge forwards, once.
 */
import type { Child } from './child.ts'
import { look, type Seen } from './frames.ts'
import type { Host } from './host.ts'
import { inUserNamespace } from './namespaces.ts'
import { PcapReader } from './pcap.ts'
import { Journal } from './wait.ts'

export type CaptureOptions = {
  /** The bridge; 'eth0' unless said otherwise. */
  readonly segment?: string
  /** What its port carries, both ways, instead of the whole segment. */
  readonly port?: Host
  /** pcap-filter(7) expression; VRRP, ARP and ICMPv6 unless said otherwise. */
  readonly filter?: string
}

/** `atMs`: kernel's time of reception in milliseconds since the epoch. */
export type Frame = { readonly atMs: number; readonly bytes: Uint8Array } & Seen
export type VrrpFrame = Extract<Frame, { kind: 'vrrp' }>

/** Thousands of announcements come within milliseconds. */
const bufferKib = '16384'

const usual = 'ip proto 112 or ip proto 51 or ip6 proto 112 or arp or icmp6'

/**
 * tcpdump started as root insists on changing its identity, which a user namespace with one user forbids; there
 * dumpcap does it, a little later in delivery but with the same time stamps.
 */
function sniffer(segment: string): [string, ...string[]] {
  if (inUserNamespace()) return ['dumpcap', '-q', '-i', segment, '-P', '-w', '-', '-f']
  const options = ['--immediate-mode', '-U', '-Z', 'root', '-s', '512', '-B', bufferKib, '-w', '-']
  return ['tcpdump', '-i', segment, ...options]
}

export class Capture {
  readonly frames: Journal<Frame>
  readonly #child: Child

  private constructor(child: Child, frames: Journal<Frame>) {
    this.#child = child
    this.frames = frames
  }

  static async open(hub: Host, segment: string, filter = usual): Promise<Capture> {
    const [command, ...options] = sniffer(segment)
    const reader = new PcapReader()
    const frames = new Journal<Frame>()
    const onData = (piece: Uint8Array): void => {
      for (const packet of reader.push(piece)) frames.push({ ...packet, ...look(packet.bytes) })
    }
    const child = hub.spawn(command, [...options, filter], { onData })
    await child.line(/listening on|Capturing on/, 60_000)
    return new Capture(child, frames)
  }

  /** How many frames there are so far: what to give the others as `from` in order to see only later ones. */
  get mark(): number {
    return this.frames.items.length
  }

  /** The first advert from index `from` on, captured or still to come, that `wants` accepts. */
  async advert(
    what: string,
    timeoutMs: number,
    wants: (frame: VrrpFrame) => boolean,
    from = 0,
  ): Promise<VrrpFrame> {
    const found = await this.frames.next(
      what,
      timeoutMs,
      (f) => f.kind === 'vrrp' && wants(f),
      from,
    )
    return found as VrrpFrame
  }

  adverts(wants: (frame: VrrpFrame) => boolean = () => true, from = 0): VrrpFrame[] {
    const later = this.frames.items.slice(from)
    return later.filter((frame): frame is VrrpFrame => frame.kind === 'vrrp' && wants(frame))
  }

  async stop(): Promise<void> {
    await this.#child.signal('SIGINT')
    await this.#child.ended(60_000)
  }
}
