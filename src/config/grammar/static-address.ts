/** A line of `static_ipaddress`: an address in the words of `virtual_ipaddress`, its interface, its track_group. */
import type { Lowering } from '../draft/report.ts'
import type { Node } from '../language/tree-types.ts'
import type { StaticAddress } from '../statics.ts'
import { readAddressEntry } from './addresses.ts'

/** null: it is left out, which has been said. `usual`: the interface of one that names none. */
export function readStaticAddress(
  node: Node,
  usual: string,
  lowering: Lowering,
): StaticAddress | null {
  const text = [node.keyword, ...node.args].map((word) => word.text).join(' ')
  const at = node.args.findIndex((word) => word.text === 'track_group')
  const group = node.args[at + 1]
  if (at >= 0 && group === undefined) {
    const message = `track_group of ${text} needs a value; the address is left out`
    lowering.error(node.args[at] ?? node.place, 'missing-value', message)
    return null
  }
  const args = at < 0 ? node.args : [...node.args.slice(0, at), ...node.args.slice(at + 2)]
  const entry = readAddressEntry({ ...node, args }, lowering)
  if (entry === null) return null
  const name = entry.interface ?? usual
  if (entry.interface === null && lowering.interfaceIsMissing(name)) {
    const message = `the static address ${text} names no interface, and default_interface ${name} does not exist`
    lowering.refuseQuietly(node.place, 'no-interface', message)
    return null
  }
  return { ...entry, interface: name, text, trackGroup: at < 0 ? null : (group?.text ?? null) }
}
