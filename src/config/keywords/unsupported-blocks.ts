/** The blocks of trackers and groups that this version does not act on. */
import type { PlainEntry } from '../grammar/entries.ts'
import { decimal, interfaceName, withoutEffect } from '../grammar/make.ts'

export const trackerKeywords: readonly PlainEntry[] = [
  ...withoutEffect('garp_group', 'recognised', [
    ...['garp_interval', 'gna_interval'].map((name) => ({
      name,
      args: [decimal('SECONDS', 0.000001, 4294.967295, 6)],
      unit: 's',
      doc: 'Least time between two announcements.',
    })),
    { name: 'interface', args: [interfaceName], doc: 'The interface.' },
    { name: 'interfaces', form: 'entries' as const, entry: 'INTERFACE', doc: 'The interfaces.' },
  ]),
]
