/** `interface_up_down_delays`: how long an interface must be down, or up, before that counts. */
import { us } from '../../base/time.ts'
import type { Lowering } from '../draft/report.ts'
import { readWord } from '../grammar/arguments.ts'
import type { PlainEntry } from '../grammar/entries.ts'
import { decimal, inBlock } from '../grammar/make.ts'
import type { Node, Word } from '../language/tree-types.ts'

const span = decimal('SECONDS', 0, 255, 6)

export const interfaceDelayKeywords: readonly PlainEntry[] = inBlock<null>('root', [
  {
    name: 'interface_up_down_delays',
    form: 'entries',
    entry: 'INTERFACE DOWN [UP]',
    each: readDelay,
    since: '2.2.4',
    unit: 's',
    doc: 'How long an interface must be down before that counts, and how long up (0 to 255, to the microsecond; UP is 0 where it is left out, as in keepalived’s code). What changes back earlier never happened: no transition; what the kernel dropped meanwhile is set again, and one address on each interface is announced, as a switch may have forgotten its port (keepalived does neither). An interface that is up for the first time, or is deleted, counts at once; so does the loss of the source address, which an IPv6 instance suffers when its interface is switched off (not when it loses its carrier). DOWN is cut to what the adverts of the instances on it can miss before a peer takes over.',
  },
])

function readDelay(_draft: null, node: Node, lowering: Lowering): void {
  const { keyword, args, place } = node
  const [down, up, extra] = args
  const name = keyword.text
  const { interfaceDelays } = lowering.globals
  if (lowering.interfaceIsMissing(name))
    return lowering.missingInterface(place, `interface ${name} does not exist`)
  if (down === undefined) {
    const message = `${name} needs the seconds that it must be down; the line is ignored`
    return lowering.error(place, 'missing-value', message)
  }
  if (interfaceDelays.has(name)) {
    const message = `the delays of ${name} are written twice; the first count`
    return lowering.error(place, 'duplicate', message)
  }
  const spans = [
    readSpan(down, name, lowering),
    up === undefined ? 0 : readSpan(up, name, lowering),
  ]
  const [downS, upS] = spans
  if (downS === null || downS === undefined || upS === null || upS === undefined) return
  if (extra !== undefined)
    lowering.error(extra, 'extra-words', `'${extra.text}' after the delays of ${name} is ignored`)
  const delay = { downUs: us(Math.round(downS * 1e6)), upUs: us(Math.round(upS * 1e6)) }
  interfaceDelays.set(name, { interface: name, ...delay, place })
}

function readSpan(word: Word, name: string, lowering: Lowering): number | null {
  const read = readWord(span, word)
  if ('value' in read) return Number(read.value)
  const message = `delay ${word.text} of ${name} ${read.why}; the line is ignored`
  lowering.error(word, 'bad-number', message)
  return null
}
