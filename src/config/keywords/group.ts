/** `vrrp_sync_group`, and the `authentication` block of an instance. */

import type { GroupDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GroupEntry, InstanceEntry, Values } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import { choice, inBlock, text, word } from '../grammar/make.ts'
import { Options, optionLines } from '../grammar/option.ts'
import type { Node } from '../language/tree-types.ts'
import type { GroupOptions } from '../types.ts'
import { trackEntries, trackInterface } from './track.ts'

export const groupKeywords: readonly GroupEntry[] = inBlock<GroupDraft>('vrrp_sync_group', [
  {
    name: 'group',
    form: 'entries',
    entry: 'INSTANCE …',
    doc: 'The instances that are master together or not at all. Required.',
    set: (draft, _values, node, lowering) => {
      if (draft.members !== null) {
        lowering.error(
          node.place,
          'duplicate',
          `the members of ${draft.name} are listed twice; all count`,
        )
      }
      draft.members ??= []
    },
    each: (draft, node) => {
      for (const { text: name, place } of [node.keyword, ...node.args]) {
        draft.members?.push({ name, place })
      }
    },
  },
  {
    name: 'track_interface',
    form: 'entries',
    entry: 'INTERFACE [weight -253..253 [reverse]]',
    doc: 'Interfaces that every member tracks.',
    each: (draft, node, lowering) => {
      trackInterface(draft.trackInterfaces, node, lowering)
    },
  },
  ...trackEntries<GroupDraft>('that every member tracks'),
])

export const groupOptions: Options<GroupOptions> = new Options<GroupOptions>({
  trackingWeight: {
    name: 'sync_group_tracking_weight',
    older: { name: 'global_tracking', counts: true },
    takes: kinds.bare,
    default: false,
    doc: 'Members keep their own weighted trackers; without it those are not used.',
  },
})

export const groupOptionLines = optionLines(
  'vrrp_sync_group',
  groupOptions,
  ({ options }: GroupDraft) => options,
)

export const authenticationKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>(
  'authentication',
  [
    {
      name: 'auth_type',
      args: [choice('TYPE', 'PASS', 'AH')],
      default: 'none',
      doc: 'PASS: a password in clear text. AH: adverts behind an authentication header (IP protocol 51, HMAC-MD5), version 2 over IPv4 only; `auth_hmac` is better. docs/authentication.md.',
      set: (draft, values, node) => {
        draft.authPlace ??= node.place
        draft.authType = text(values) === 'AH' ? 'AH' : 'PASS'
      },
    },
    {
      name: 'auth_pass',
      args: [word('PASSWORD')],
      default: 'none',
      doc: 'At most 8 octets; more are cut off. The key of AH. Without an auth_type there is no authentication. A # or ! in it must be quoted.',
      set: setPassword,
    },
  ],
)

function setPassword(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  const password = text(values)
  draft.authPlace = node.place
  draft.password = password === '' ? null : password
  if (node.glued && node.args[0]?.quoted === false) {
    const message = `the password ends before its # or !, which begins a comment; quote it`
    lowering.lost(node.place, 'password-comment', message)
  }
  if (new TextEncoder().encode(password).length > 8) {
    const message = 'auth_pass has more than 8 octets; only the first 8 are used'
    lowering.error(node.place, 'long-password', message)
  }
}
