/** Signed adverts of the draft and of other programs, and a core that hears and sends them. */
import { type Ip, parseIp } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import type { EngineEvent } from '../../src/engine/contract.ts'
import { type CoreHarness, makeCore } from '../../src/engine/core-harness.ts'
import type { Order } from '../../src/engine/order.ts'
import type { TrailerSeal } from '../../src/engine/seal-contract.ts'
import { fromHex } from '../hex.ts'

export const text = (of: string): Uint8Array => new TextEncoder().encode(of)

export const k1 = Uint8Array.from({ length: 32 }, (_, i) => i)

export const k7 = text('correct-horse-battery-staple-0123456789')

export const k255 = fromHex('ffeeddccbbaa99887766554433221100'.repeat(4))

export const keys = [
  { id: 1, secret: k1 },
  { id: 7, secret: k7 },
  { id: 255, secret: k255 },
]

export const ip = (of: string): Ip => {
  const parsed = parseIp(of)
  if (parsed === null) throw new Error(of)
  return parsed
}

export type Vector = {
  readonly source: string
  readonly destination: string
  readonly pdu: string
  /** Up to the MAC. */
  readonly sealed: string
  readonly mac: string
}

export const draft = { sealed: '010100006800000080000000' } as const

export const multicast = '224.0.0.18'

export const appendix: Readonly<Record<'D4' | 'D6' | 'V2', Vector>> = {
  D4: {
    ...draft,
    source: '198.51.100.10',
    destination: multicast,
    pdu: '3133c80100644402c0000264',
    mac: '1b84bc4e8e43892dc6d98448f8ee2265',
  },
  D6: {
    ...draft,
    source: 'fe80::10',
    destination: 'fe80::20',
    pdu: '3133c8010064a2e9fe800000000000000000000000000100',
    mac: 'c8c56146ebfd66ee10ec4d8186461b78',
  },
  V2: {
    ...draft,
    source: '198.51.100.10',
    destination: multicast,
    pdu: '2133c80100015465c00002640000000000000000',
    mac: 'd0b9391b8d008f779ef2e8cf66238947',
  },
}

export const one = { source: '10.77.0.1', destination: multicast }

export const octetsOf = ({ pdu, sealed, mac }: Vector): Uint8Array => fromHex(pdu + sealed + mac)

/** µs since 1970. */
export const wallOf = ({ sealed }: Vector): Us =>
  us(Number.parseInt(sealed.slice(8, 16), 16) * 1_000_000 + 500_000)

export const sealFor = (of: Vector, more: Partial<TrailerSeal> = {}): TrailerSeal => {
  const [first = 0, vrid = 0] = fromHex(of.pdu)
  return {
    kind: 'trailer',
    family: of.source.includes(':') ? 6 : 4,
    version: first >> 4 === 2 ? 2 : 3,
    vrid,
    source: ip(of.source),
    keys,
    activeKey: 1,
    signs: true,
    requires: true,
    monotonic: false,
    windowSeconds: 5,
    peers: null,
    ...more,
  }
}

export const second = 1_000_000

export const lead = (of: Vector, resign = of) => {
  const plan = (vector: Vector) => [
    {
      kind: 'datagram' as const,
      link: 1,
      to: ip(vector.destination),
      bytes: fromHex(vector.pdu),
    },
  ]
  return {
    now: plan(of),
    repeats: [{ key: 'advert', firstAfterUs: us(second), everyUs: us(second), plan: plan(of) }],
    resign: plan(resign),
    lateUs: us(10 * second),
    wardenLateUs: us(10 * second),
  }
}

export const follow = (of: Vector, expect: Vector | null, deadline = 3 * second): Order => ({
  kind: 'follow',
  now: [],
  expect: expect && { from: ip(expect.source), ttl: 255, payload: octetsOf(expect) },
  deadlineUs: us(deadline),
  restartUs: us(3 * second),
  lateUs: us(second),
  absentUs: us(3 * second),
  onExpiry: lead(of),
})

/** One slot that follows with the seal, at the vector's time. */
export function listening(
  of: Vector,
  more: Partial<TrailerSeal> = {},
  expect: Vector | null = null,
) {
  const core = makeCore(us(0), us(0))
  const [, vrid = 0] = fromHex(of.pdu)
  core.addLink(1)
  core.addSlot(1, 1, vrid, more.peers ?? [])
  core.setSeal(1, sealFor(of, more))
  core.setWall(wallOf(of), us(0))
  core.order([{ slot: 1, generation: 1, order: follow(of, expect) }], us(0))
  return core
}

export type Heard = Extract<EngineEvent, { kind: 'packet' }>

export function hear(
  core: CoreHarness,
  of: Vector,
  payload = octetsOf(of),
  at = 1,
  from = of.source,
) {
  core.packet({ link: 1, from: ip(from), ttl: 255, payload }, us(at))
  const { events } = core.tick(us(at))
  return events.filter((event): event is Heard => event.kind === 'packet')
}

export const verdicts = (heard: readonly Heard[]) => heard.map(({ seal }) => seal?.verdict)

export function leading(more: Partial<TrailerSeal> = {}) {
  const core = listening(appendix.D4, more)
  core.order([{ slot: 1, generation: 2, order: { kind: 'lead', ...lead(appendix.D4) } }], us(0))
  return core
}
