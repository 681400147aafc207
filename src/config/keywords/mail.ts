/** `global_defs`: mail. */
import { secondsToUs } from '../../base/time.ts'
import type { GlobalDraft } from '../draft/draft.ts'
import type { GlobalEntry } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import {
  given,
  inBlock,
  integer,
  longest,
  number,
  optionalWord,
  text,
  word,
} from '../grammar/make.ts'
import { Options, optionLines } from '../grammar/option.ts'
import type { MailOptions } from '../notify.ts'

export const mailOptions: Options<MailOptions> = new Options<MailOptions>({
  from: {
    name: 'notification_email_from',
    takes: kinds.word('ADDRESS'),
    missing: 'config',
    defaultFrom: ({ world }) => `${world.environment['USER'] ?? 'root'}@${world.hostname}`,
    defaultText: 'user@host',
    doc: 'The sender of mails.',
  },
  helo: {
    name: 'smtp_helo_name',
    takes: kinds.word('NAME', optionalWord('NAME')),
    defaultFrom: ({ world }) => world.hostname,
    defaultText: 'the host name',
    doc: 'The name given to the mail server.',
  },
  connectTimeoutUs: {
    name: 'smtp_connect_timeout',
    takes: kinds.wholeSeconds(1, longest, { zeroIs: 1 }),
    default: secondsToUs(30),
    doc: 'How long the mail server may take to answer.',
  },
})

export const mailKeywords: readonly GlobalEntry[] = [
  ...inBlock<GlobalDraft>('global_defs', [
    {
      name: 'notification_email',
      form: 'entries',
      entry: 'ADDRESS',
      default: 'none: no mail',
      doc: 'The recipients of mail. Without smtp_server no mail is sent.',
      set: (_draft, _values, node, lowering) => {
        if (node.block?.length === 0) {
          lowering.error(node.place, 'empty-block', 'notification_email is empty: no mail is sent')
        }
      },
      each: (draft, node) => {
        draft.mailTo.push(...[node.keyword, ...node.args].map((address) => address.text))
      },
    },
    {
      name: 'smtp_server',
      args: [word('HOST'), integer('PORT', 1, 65_535, { optional: true })],
      default: 'none: no mail; port 25',
      doc: 'The mail server: plain SMTP. There is no default server, as in keepalived.',
      set: (draft, values) => {
        draft.mailServer = { host: text(values), port: given(values[1]) ? number(values, 1) : 25 }
      },
    },
  ]),
  ...optionLines('global_defs', mailOptions, ({ mail }: GlobalDraft) => mail),
]
