/** Interfaces, as `ip -j -d address` shows them. */
import type { LinkFact } from '../facts.ts'
import { runForJson } from './read.ts'

type Shown = {
  readonly ifname?: string
  readonly flags?: readonly string[]
  readonly mtu?: number
  readonly master?: string
  readonly linkinfo?: { readonly info_data?: Readonly<Record<string, unknown>> }
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[]
}

/** Or why they cannot be read. */
export function readLinks(): readonly LinkFact[] | string {
  const ran = runForJson('ip', ['-j', '-d', 'address', 'show'])
  if ('why' in ran) return ran.why
  return (ran.json as readonly Shown[]).flatMap((it) => {
    if (it.ifname === undefined) return []
    const data = it.linkinfo?.info_data ?? {}
    return [
      {
        name: it.ifname,
        flags: it.flags ?? [],
        mtu: it.mtu ?? 0,
        master: it.master ?? null,
        snooping: data['mcast_snooping'] === 1,
        querier: data['mcast_querier'] === 1,
        addresses: (it.addr_info ?? []).map(({ local = '', prefixlen = 0 }) => ({
          address: local,
          prefixLength: prefixlen,
        })),
      },
    ]
  })
}
