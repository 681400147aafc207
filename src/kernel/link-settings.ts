/**
 * Settings of links that are not vipd's (net.ipv4.conf.IFACE.*): what becomes of a value that was changed, when it is to be
 * as it was. Pure; for the running daemon (settings-keeper.ts), and for the next one and `vipd cleanup` (sweep-settings.ts).
 *
 * Several programs may change one setting, two vipds among them. So a value is set back only while it is the one that
 * was set; and what another program sets meanwhile is what it is set back to.
 */
import { decodeMessages } from '../wire/rtnetlink.ts'
import type { Link } from '../wire/rtnetlink-link.ts'
import { encodeIpv4Settings, type Ipv4Setting } from '../wire/rtnetlink-settings.ts'
import type { ChangedSetting, OwnedObject } from './marks.ts'

/** What an instance needs of the interface that it is on. */
export type WantedSetting = {
  readonly interface: string
  readonly name: Ipv4Setting
  readonly value: number
}

/** arp_ignore 2 answers for no address of another interface either, and asks for more. */
export const serves = ({ name, value }: WantedSetting, found: number): boolean =>
  found === value || (name === 'arp_ignore' && value === 1 && found === 2)

export type Restoration =
  | { readonly kind: 'set'; readonly request: Uint8Array }
  /** The link has gone, or the setting is as it was. */
  | { readonly kind: 'done' }
  | { readonly kind: 'left'; readonly why: string }

/** `link`: as it is now; null: it has gone. `others`: what living neighbours have recorded, and whose it is. */
export function restoration(
  setting: ChangedSetting,
  link: Link | null,
  others: readonly Neighbours[],
): Restoration {
  const { ifindex, name, ours, original } = setting
  const now = link?.ipv4?.[name]
  if (now === undefined || now === original) return { kind: 'done' }
  if (now !== ours) return { kind: 'left', why: `another program has set it to ${now}` }
  const heir = others.find(({ settings }) =>
    settings.some((it) => isSame(it, setting) && !it.releasing && it.original === original),
  )
  if (heir !== undefined) return { kind: 'left', why: `the vipd of ${heir.runDir} needs it` }
  return { kind: 'set', request: encodeIpv4Settings(ifindex, { [name]: original }) }
}

export type Neighbours = { readonly runDir: string; readonly settings: readonly ChangedSetting[] }

/** Of a living neighbour's record. */
export const settingsOf = (objects: readonly OwnedObject[]): readonly ChangedSetting[] =>
  objects.flatMap((it) => (it.kind === 'setting' ? [it] : []))

type Identity = Pick<ChangedSetting, 'ifindex' | 'name'>

/** Also under another name of the link: an index is not given anew within a boot, and a link keeps its settings. */
export const isSame = (a: Identity, b: Identity): boolean =>
  a.ifindex === b.ifindex && a.name === b.name

/** 'arp_ignore of eth0' */
export const describeSetting = (it: Pick<ChangedSetting, 'interface' | 'name'>): string =>
  `${it.name} of ${it.interface}`

/** The answer to `encodeLinkGet`. */
export function linkIn(answer: Uint8Array): Link | null {
  const found = decodeMessages(answer).find(({ kind }) => kind === 'newlink')
  return found?.kind === 'newlink' ? found.link : null
}
