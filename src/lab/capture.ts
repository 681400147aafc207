/**
 * What crosses a segment of the lab, with the kernel's time stamps: tcpdump on the switch's bridge, which in
 * promiscuous mode is shown every frame that the bridge forwards, once.
 */
import type { Child } from './child.ts'
import { look, type Seen } from './frames.ts'
import type { Host } from './host.ts'
import { PcapReader } from './pcap.ts'
import { Journal } from './wait.ts'

export type CaptureOptions = {
  /** The bridge; 'eth0' unless said otherwise. */
  readonly segment?: string
  /** pcap-filter(7) expression; VRRP, ARP and ICMPv6 unless said otherwise. */
  readonly filter?: string
}

/** `atMs`: kernel's time of reception in milliseconds since the epoch. */
export type Frame = { readonly atMs: number; readonly bytes: Uint8Array } & Seen
export type VrrpFrame = Extract<Frame, { kind: 'vrrp' }>

const usual = 'ip proto 112 or ip6 proto 112 or arp or icmp6'

export class Capture {
  readonly frames: Journal<Frame>
  readonly #tcpdump: Child

  private constructor(tcpdump: Child, frames: Journal<Frame>) {
    this.#tcpdump = tcpdump
    this.frames = frames
  }

  static async open(hub: Host, segment: string, filter = usual): Promise<Capture> {
    const options = ['-i', segment, '--immediate-mode', '-U', '-Z', 'root', '-s', '512', '-w', '-']
    const reader = new PcapReader()
    const frames = new Journal<Frame>()
    const onData = (piece: Uint8Array): void => {
      for (const packet of reader.push(piece)) frames.push({ ...packet, ...look(packet.bytes) })
    }
    const tcpdump = hub.spawn('tcpdump', [...options, filter], { onData })
    await tcpdump.line(/listening on/, 5_000)
    return new Capture(tcpdump, frames)
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
    await this.#tcpdump.signal('SIGINT')
    await this.#tcpdump.ended(5_000)
  }
}
