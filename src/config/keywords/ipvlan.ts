/** `vrrp_instance`: a link of its own, with an address of its own, that the instance speaks on. */

import type { IpvlanMode } from '../../base/virtual-link.ts'
import type { InstanceDraft, IpvlanDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { readPrefix } from '../grammar/addresses.ts'
import type { InstanceEntry } from '../grammar/entries.ts'
import { anyWords, inBlock } from '../grammar/make.ts'
import type { Node, Word } from '../language/tree-types.ts'
import { linkNameError, readGroup } from './vmac.ts'

export const ipvlanKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>('vrrp_instance', [
  {
    name: 'use_ipvlan',
    args: [anyWords('[[name] INTERFACE] [ADDRESS[/LENGTH]] [bridge|private|vepa] [group GROUP]')],
    since: '2.0.18',
    default: 'vmac_prefix.VRID, bridge',
    doc: 'Adverts leave from a link of their own on the interface (ipvlan), from ADDRESS, with the MAC address of the interface; the virtual addresses are on the interface. For IPv4 ADDRESS, or a source address of the instance, is required; for IPv6 the kernel gives the link a link-local address. Not beside use_vmac. docs/ipvlan-vrf.md.',
    set: setIpvlan,
  },
])

const modes: readonly string[] = ['bridge', 'private', 'vepa'] satisfies readonly IpvlanMode[]
const isMode = (text: string): text is IpvlanMode => modes.includes(text)

/** The words may stand in any order. */
function setIpvlan(draft: InstanceDraft, _values: unknown, node: Node, lowering: Lowering): void {
  if (draft.ipvlan !== null)
    return lowering.error(node.place, 'ipvlan', `${draft.name} has use_ipvlan already`)
  const ipvlan: IpvlanDraft = {
    place: node.place,
    name: null,
    address: null,
    mode: null,
    group: null,
  }
  draft.ipvlan = ipvlan
  const words = [...node.args]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const { text } = word
    if (text === 'group') ipvlan.group = readGroup(word, words.shift(), lowering) ?? ipvlan.group
    else if (text === 'name' && words.length > 0) setName(ipvlan, words.shift() ?? word, lowering)
    else if (isMode(text)) setMode(ipvlan, word, text, lowering)
    else if (!setAddress(ipvlan, word, lowering)) setName(ipvlan, word, lowering)
  }
}

function setMode(ipvlan: IpvlanDraft, word: Word, mode: IpvlanMode, lowering: Lowering): void {
  if (ipvlan.mode === null) ipvlan.mode = mode
  else lowering.error(word, 'ipvlan', `use_ipvlan has the mode ${ipvlan.mode}; ${mode} is ignored`)
}

/** False: it is no address. */
function setAddress(ipvlan: IpvlanDraft, word: Word, lowering: Lowering): boolean {
  const address = readPrefix(word, lowering)
  if (address === null) return false
  if (ipvlan.address === null) ipvlan.address = address
  else lowering.error(word, 'ipvlan', `use_ipvlan has an address; ${word.text} is ignored`)
  return true
}

function setName(ipvlan: IpvlanDraft, word: Word, lowering: Lowering): void {
  const wrong = linkNameError(word.text)
  if (ipvlan.name !== null)
    lowering.error(
      word,
      'ipvlan',
      `use_ipvlan has the name ${ipvlan.name}; ${word.text} is ignored`,
    )
  else if (wrong !== null) lowering.error(word, 'ipvlan', `${wrong}; the usual name is used`)
  else ipvlan.name = word.text
}
