/** `vrrp_instance`: virtual MAC addresses, each on a link that is made for it. */
import { parseMac } from '../../base/mac.ts'
import type { InstanceDraft, VmacDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { InstanceEntry } from '../grammar/entries.ts'
import { anyWords, inBlock } from '../grammar/make.ts'
import { numberOfName } from '../grammar/routing-names.ts'
import type { Node, Word } from '../language/tree-types.ts'

export const vmacKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>('vrrp_instance', [
  {
    name: 'use_vmac',
    args: [anyWords('[[name] INTERFACE] [MAC] [netlink_notify_msg] [group GROUP]')],
    default: 'vmac_prefix.VRID, 00:00:5e:00:01:VRID (IPv6: 00:00:5e:00:02:VRID)',
    doc: 'The addresses are on a link of their own (macvlan) with the virtual MAC address, from which adverts and announcements come too: a take-over changes nothing in the clients’ ARP tables. A MAC of 5 octets gets the VRID as its last. netlink_notify_msg has no effect. docs/vmac.md.',
    set: setVmac,
  },
  {
    name: 'use_vmac_addr',
    since: '2.2.0',
    doc: 'Virtual MAC addresses also for addresses on other interfaces, and for those of the other family.',
    set: (draft) => {
      draft.vmacAddresses = true
    },
  },
  {
    name: 'vmac_xmit_base',
    doc: 'Adverts carry the MAC address of the interface instead of the virtual one. Always so with unicast peers. Needs use_vmac.',
    set: (draft, _values, node) => {
      draft.xmitBasePlace = node.place
    },
  },
])

/** The words may stand in any order. */
function setVmac(draft: InstanceDraft, _values: unknown, node: Node, lowering: Lowering): void {
  const vmac = draft.vmac ?? { place: node.place, name: null, mac: null, group: null }
  draft.vmac = vmac
  const words = [...node.args]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const { text } = word
    if (text === 'netlink_notify_msg') continue
    if (text === 'group') vmac.group = readGroup(word, words.shift(), lowering) ?? vmac.group
    else if (text === 'name' && words.length > 0) setName(vmac, words.shift() ?? word, lowering)
    else if (parseMac(text, [5, 6]) !== null) setMac(vmac, word, lowering)
    else setName(vmac, word, lowering)
  }
}

function setName(vmac: VmacDraft, word: Word, lowering: Lowering): void {
  const wrong = linkNameError(word.text)
  if (vmac.name !== null)
    lowering.error(word, 'vmac', `use_vmac has the name ${vmac.name}; ${word.text} is ignored`)
  else if (wrong !== null) lowering.error(word, 'vmac', `${wrong}; the usual name is used`)
  else vmac.name = word.text
}

/** What the kernel takes as the name of a link (dev_valid_name); null: this one. */
export function linkNameError(name: string): string | null {
  if (name.length > 15) return `an interface name has at most 15 characters: ${name}`
  if (name === '' || name === '.' || name === '..' || /[/:\s%]/.test(name))
    return `${name} cannot be the name of an interface`
  return null
}

function setMac(vmac: VmacDraft, word: Word, lowering: Lowering): void {
  const octets = parseMac(word.text, [5, 6]) ?? []
  const [first = 0] = octets
  const virtual = [0, 0, 0x5e, 0].every((octet, i) => octets[i] === octet)
  if ((first & 1) === 1)
    lowering.error(word, 'vmac', `${word.text} is a multicast address; the usual MAC is used`)
  else if (virtual && (octets[4] === 1 || octets[4] === 2))
    lowering.error(word, 'vmac', `${word.text} is a range of VRRP itself; the usual MAC is used`)
  else if (octets.every((octet) => octet === 0))
    lowering.error(word, 'vmac', `${word.text} is no MAC address; the usual one is used`)
  else vmac.mac = { octets, place: word.place }
}

/** A number, or a name of iproute2's file; null: neither, which has been said. `at`: the word before it. */
export function readGroup(at: Word, word: Word | undefined, lowering: Lowering): number | null {
  const text = word?.text ?? ''
  const group = /^\d+$/.test(text) ? Number(text) : numberOfName('group', text, lowering.world)
  if (group !== null && group <= 0x7fff_ffff) return group
  lowering.error(word ?? at, 'vmac', `group takes a number or a name of link groups, not ${text}`)
  return null
}
