/** `global_defs`: what the process is to the system, of more words than a plain option has. */
import type { GlobalDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GlobalEntry, Values } from '../grammar/entries.ts'
import { anyWords, inBlock, word } from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'
import { readProcessors } from './checked-words.ts'

export const processKeywords: readonly GlobalEntry[] = inBlock<GlobalDraft>('global_defs', [
  {
    name: 'umask',
    args: [word('MASK'), anyWords('…')],
    default: 'that of the process',
    set: setUmask,
    doc: 'Bits that no file of the daemon and of its scripts gets: a number (octal after 0, hexadecimal after 0x) to 0777, or names such as `IWGRP | IWOTH`. `-u` of keepalived’s command line counts before it. Counts from the start on. The dump files are 0600 in any case.',
  },
  {
    name: 'vrrp_cpu_affinity',
    args: [anyWords('CPU …')],
    default: 'all',
    set: setProcessors,
    doc: 'The processors (0 to 4095) that the daemon, its warden and, as with keepalived, its scripts run on. Counts from the start on.',
  },
])

function setUmask(draft: GlobalDraft, _values: Values, node: Node, lowering: Lowering): void {
  const written = node.args.map((word) => word.text).join('')
  const mask = readUmask(written)
  if (mask !== null) draft.umask = mask
  else {
    const message = `umask ${written} is neither a number to 0777 nor names such as IWGRP|IWOTH; it is ignored`
    lowering.error(node.place, 'bad-number', message)
  }
}

/** As strtol(3) with base 0 reads it, or bits by name. */
function readUmask(written: string): number | null {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(written)) {
    const mask = Number(written.replace(/^0(?=\d)/, '0o'))
    return mask <= 0o777 ? mask : null
  }
  const bits = written.split('|').map((name) => /^I([RWX])(USR|GRP|OTH)$/.exec(name))
  const shifts: Readonly<Record<string, number>> = { USR: 6, GRP: 3, OTH: 0, R: 2, W: 1, X: 0 }
  let mask = 0
  for (const found of bits) {
    const [, what = '', whose = ''] = found ?? []
    if (found === null) return null
    mask |= 1 << ((shifts[what] ?? 0) + (shifts[whose] ?? 0))
  }
  return mask
}

function setProcessors(draft: GlobalDraft, _values: Values, node: Node, lowering: Lowering): void {
  const read = readProcessors(node, lowering)
  if (read.length > 0) draft.processors = read
}
