/**
 * Which hosts answer for an address at the link layer, seen on the wire: a client asks all the time, by ARP or neighbour
 * solicitation, and every answer counts, with the instant at which the kernel captured it.
 */
import type { Capture, Frame } from './capture.ts'
import type { Child } from './child.ts'
import { senderOf } from './frames.ts'
import type { Host } from './host.ts'
import type { Lab } from './lab.ts'
import { program } from './program.ts'

export type Claim = { readonly atMs: number; readonly mac: string }

export type Change = {
  /** Answers of the old host once the new one has begun to answer. */
  readonly twoHolders: number
  /** From the last answer of the old host to the first of the new one. */
  readonly gapMs: number
  readonly lastOldMs: number
  readonly firstNewMs: number
}

export class Claims {
  readonly #capture: Capture
  readonly #child: Child
  readonly #address: string

  private constructor(capture: Capture, child: Child, address: string) {
    this.#capture = capture
    this.#child = child
    this.#address = address
  }

  /** `own`: the address that the client asks from. Resolves when the first answer has come. */
  static async open(
    lab: Lab,
    client: Host,
    { own, address, everyMs = 5 }: { own: string; address: string; everyMs?: number },
  ): Promise<Claims> {
    const capture = await lab.capture({ filter: 'arp or icmp6' })
    const args = [program('./resolver.js'), 'eth0', lab.mac(client), own, address, String(everyMs)]
    const child = client.spawn(process.execPath, args, { name: 'resolver' })
    const claims = new Claims(capture, child, address)
    await capture.frames.next('an answer', 30_000, (frame) => claims.#isClaim(frame))
    return claims
  }

  /** Since that instant, in order. */
  since(fromMs: number): readonly Claim[] {
    return this.#capture.frames.items
      .filter((frame) => frame.atMs >= fromMs && this.#isClaim(frame))
      .map(({ atMs, bytes }) => ({ atMs, mac: senderOf(bytes) }))
  }

  async answeredBy(mac: string, timeoutMs: number, fromMs = 0): Promise<void> {
    const wants = (frame: Frame) =>
      frame.atMs >= fromMs && this.#isClaim(frame) && senderOf(frame.bytes) === mac
    await this.#capture.frames.next(`${mac} answers`, timeoutMs, wants, 0)
  }

  /** What became of the address, which passed from one host to another since that instant. */
  change(from: string, to: string, sinceMs: number): Change {
    const claims = this.since(sinceMs)
    const old = claims.filter(({ mac }) => mac === from)
    const firstNewMs = claims.find(({ mac }) => mac === to)?.atMs ?? Number.NaN
    const lastOldMs = old.at(-1)?.atMs ?? sinceMs
    const twoHolders = old.filter(({ atMs }) => atMs > firstNewMs).length
    return { twoHolders, gapMs: firstNewMs - lastOldMs, lastOldMs, firstNewMs }
  }

  async stop(): Promise<void> {
    await this.#child.stop(5_000)
    await this.#capture.stop()
  }

  #isClaim(frame: Frame): boolean {
    if (frame.kind === 'arp') return frame.sender === this.#address && frame.gratuitous === false
    return frame.kind === 'na' && frame.target === this.#address
  }
}
