/** How far one link of vipd's has come. */
import type { OwnedLink } from './marks.ts'
import type { Ipv6Settings, LinkWish } from './virtual-link-shape.ts'

export type VirtualLinkEntry = {
  wish: LinkWish | null
  readonly name: string
  /** The link of that name that vipd made; null: none yet. Another one is another program's. */
  own: number | null
  /** What is recorded of it. */
  owned: OwnedLink | null
  /** The link that is as it must be. */
  ready: number | null
  /** Of the last that was asked for; the kernel's answer is awaited. */
  busy: boolean
  /** null: nothing is wrong. */
  refused: string | null
  failures: number
  again: NodeJS.Timeout | null
  madeAtMs: number[]
  /** What was altered last: not tried again until something else differs. */
  tried: string | null
  /** The name is taken: by that link. */
  takenBy: number | null
  /** IPv6 settings that it has. */
  ipv6: Ipv6Settings | null
  /** Why it has not. */
  ipv6Refused: string | null
}

export const newEntry = (name: string, wish: LinkWish | null): VirtualLinkEntry => ({
  name,
  wish,
  own: null,
  owned: null,
  ready: null,
  busy: false,
  refused: null,
  failures: 0,
  again: null,
  madeAtMs: [],
  tried: null,
  takenBy: null,
  ipv6: null,
  ipv6Refused: null,
})
