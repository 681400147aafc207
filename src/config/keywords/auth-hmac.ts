/** The `auth_hmac` block of an instance: adverts with an authentication trailer (keepalived 2.4.0 and later). */
import type { HmacDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { InstanceEntry, Values } from '../grammar/entries.ts'
import { choice, inBlock, integer, number, text, word } from '../grammar/make.ts'
import type { HmacMode } from '../hmac.ts'
import type { Node } from '../language/tree-types.ts'

export const hmacBlock: readonly InstanceEntry[] = inBlock<InstanceDraft>('vrrp_instance', [
  {
    name: 'auth_hmac',
    form: 'block',
    inner: 'auth_hmac',
    since: '2.4.0',
    default: 'none',
    doc: 'Signed adverts (HMAC-SHA-256): a peer without the key is not believed, and a recorded advert is not believed twice. docs/authentication.md.',
    set: (draft, _values, node) => {
      hmacOf(draft, node)
    },
  },
])

export const hmacKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>('auth_hmac', [
  {
    name: 'key',
    args: [integer('ID', 1, 255), word('VALUE')],
    doc: 'A key of 32 to 64 octets: hex:DIGITS, text, or file:PATH with one of the two in it. A # or ! in it must be quoted. Any of them verifies; `active_key` signs.',
    set: takeKey,
  },
  {
    name: 'active_key',
    args: [integer('ID', 1, 255)],
    doc: 'The key that signs. Required: an instance without it is left out, never run unsigned.',
    set: (draft, values, node) => {
      hmacOf(draft, node).activeKey = { id: number(values), place: node.place }
    },
  },
  {
    name: 'anti_replay',
    args: [choice('HOW', 'time', 'monotonic')],
    default: 'time',
    doc: 'How recorded adverts are recognised. time: by the clocks of both hosts, which must be right within time_window; monotonic: by a sequence that grows alone.',
    set: (draft, values, node) => {
      hmacOf(draft, node).monotonic = text(values) === 'monotonic'
    },
  },
  {
    name: 'time_window',
    args: [integer('SECONDS', 1, 300)],
    unit: 's',
    default: 'the greater of 5 and 3 × advert_int, at most 300',
    doc: 'How far the clocks may be apart.',
    set: (draft, values, node) => {
      hmacOf(draft, node).windowSeconds = number(values)
    },
  },
  {
    name: 'mode',
    args: [choice('MODE', 'enforce', 'permissive', 'receive-only')],
    default: 'enforce',
    doc: 'enforce: signed adverts are sent and no others are accepted; permissive: unsigned ones are accepted too; receive-only: sends them unsigned as well. A trailer that is wrong is accepted in none.',
    set: (draft, values, node) => {
      hmacOf(draft, node).mode = { value: text(values) as HmacMode, place: node.place }
    },
  },
])

function hmacOf(draft: InstanceDraft, node: Node): HmacDraft {
  draft.hmac ??= {
    place: node.place,
    keys: [],
    activeKey: null,
    monotonic: false,
    windowSeconds: null,
    mode: null,
  }
  return draft.hmac
}

function takeKey(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  const id = number(values)
  if (node.glued && node.args[1]?.quoted === false) {
    const message = `key ${id} ends before its # or !, which begins a comment; quote it`
    lowering.lost(node.place, 'key-comment', message)
  }
  const { keys } = hmacOf(draft, node)
  if (keys.some((key) => key.id === id)) {
    const message = `key ${id} is written twice; the first counts`
    lowering.error(node.place, 'duplicate', message)
    return
  }
  keys.push({ id, value: text(values, 1), place: node.place })
}
