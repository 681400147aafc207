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
import { until } from './wait.ts'

export type Claim = { readonly atMs: number; readonly mac: string }

export type Change = {
  /** Answers of the old host once the new one has begun to answer. */
  readonly twoHolders: number
  /** From the last answer of the old host to the first of the new one. */
  readonly gapMs: number
  readonly lastOldMs: number
  readonly firstNewMs: number
}

/** `mac`: of what it carries, whatever the frames say; null: what the frames say. */
type Tap = { readonly capture: Capture; readonly mac: string | null }

export type Asking = {
  /** The address that the client asks from. */
  readonly own: string
  readonly address: string
  readonly everyMs?: number
  /** Hosts that answer from one and the same virtual MAC address: they are told apart by their ports. */
  readonly apart?: readonly Host[]
}

export class Claims {
  readonly #taps: readonly Tap[]
  readonly #child: Child
  readonly #address: string

  private constructor(taps: readonly Tap[], child: Child, address: string) {
    this.#taps = taps
    this.#child = child
    this.#address = address
  }

  /** Resolves when the first answer has come. */
  static async open(
    lab: Lab,
    client: Host,
    { own, address, everyMs = 5, apart = [] }: Asking,
  ): Promise<Claims> {
    const filter = 'arp or icmp6'
    const taps: Tap[] = []
    for (const port of apart)
      taps.push({ capture: await lab.capture({ filter, port }), mac: lab.mac(port) })
    if (apart.length === 0) taps.push({ capture: await lab.capture({ filter }), mac: null })
    const args = [program('./resolver.js'), 'eth0', lab.mac(client), own, address, String(everyMs)]
    const child = client.spawn(process.execPath, args, { name: 'resolver' })
    const claims = new Claims(taps, child, address)
    await until('an answer', 30_000, () => claims.since(0).length > 0)
    return claims
  }

  /** Since that instant, in order. */
  since(fromMs: number): readonly Claim[] {
    return this.#taps
      .flatMap(({ capture, mac }) =>
        capture.frames.items
          .filter((frame) => frame.atMs >= fromMs && this.#isClaim(frame))
          .map(({ atMs, bytes }) => ({ atMs, mac: mac ?? senderOf(bytes) })),
      )
      .sort((a, b) => a.atMs - b.atMs)
  }

  async answeredBy(mac: string, timeoutMs: number, fromMs = 0): Promise<void> {
    await until(`${mac} answers`, timeoutMs, () =>
      this.since(fromMs).some((claim) => claim.mac === mac),
    )
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
    await this.#child.stop(60_000)
    for (const { capture } of this.#taps) await capture.stop()
  }

  #isClaim(frame: Frame): boolean {
    if (frame.kind === 'arp') return frame.sender === this.#address && frame.gratuitous === false
    return frame.kind === 'na' && frame.target === this.#address
  }
}
