/** The host's nftables rules, through the addon: that they have changed, and what one request reads of them. */
import type { Watched } from './bindings.ts'
import { loadAddon } from './load.ts'

type Ruleset = {
  openRulesetNews(onNews: () => void): Watched
  netfilterRequest(bytes: Uint8Array): Uint8Array
}

const ruleset = (): Ruleset => loadAddon() as Ruleset

/** `onNews` after each commit of any program to any table of this network namespace. Throws (CAP_NET_ADMIN). */
export const openRulesetNews = (onNews: () => void): Watched => ruleset().openRulesetNews(onNews)

/** One nfnetlink request that only reads: it waits for no lock of the kernel's. Throws what the addon throws. */
export const netfilterRequest = (bytes: Uint8Array): Uint8Array => ruleset().netfilterRequest(bytes)
