/** A sentence of RFC 9568: what vipd does of it, and the tests that show it. */

export type Verdict =
  | 'met'
  /** Done, and kept within a bound or a condition that the note names. */
  | 'bounded'
  /** Not done; the note says why. */
  | 'not met'
  /** The kernel's, which vipd neither does nor hinders. */
  | 'kernel'
  /** About what vipd does not have. */
  | 'does not apply'

/** A file below test/ and a piece of the name of a test in it. */
export type Shown = readonly [file: string, name: string]

export type Row = {
  readonly section: string
  readonly level: string
  readonly sentence: string
  readonly verdict: Verdict
  readonly note: string
  readonly shown: readonly Shown[]
}

export const row = (
  section: string,
  level: string,
  sentence: string,
  verdict: Verdict,
  note: string,
  ...shown: readonly Shown[]
): Row => ({ section, level, sentence, verdict, note, shown })

export const vrrp = 'unit/wire/vrrp.test.ts'
export const protocol = 'e2e/protocol.test.ts'
export const backup = 'rfc9568/6.4.2-backup.test.ts'
export const active = 'rfc9568/6.4.3-active.test.ts'
export const receiving = 'rfc9568/7.1-receiving.test.ts'
export const timers = 'rfc9568/6.1-timers.test.ts'
export const startup = 'rfc9568/6.4.1-initialize.test.ts'
export const dissector = 'e2e/tshark-dissector.test.ts'
export const parts = 'unit/router/parts.test.ts'
export const firewall = 'unit/daemon/firewall.test.ts'
export const plans = 'unit/engine/plans.test.ts'
export const check = 'unit/config/check.test.ts'
export const resolution = 'unit/router/interface-resolution.test.ts'

export const noMac =
  'no virtual MAC: frames carry the interface’s own address, and gratuitous ARP or neighbour advertisements move the hosts'
