/** `vrrp_track_process` and `track_file`: checks that are no scripts. */

import type { ProcessesWanted } from '../../base/command.ts'
import { us } from '../../base/time.ts'
import type { Lowering } from '../draft/report.ts'
import type { FileDraft, FileOptions, ProcessDraft, ProcessOptions } from '../draft/trackers.ts'
import { readWord } from '../grammar/arguments.ts'
import type { FileEntry, ProcessEntry, Values } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import { anyWords, choice, command, inBlock, integer, number, seconds } from '../grammar/make.ts'
import { Options, optionLines } from '../grammar/option.ts'
import type { Node } from '../language/tree-types.ts'
import { commandWords } from '../scripts/command-user.ts'
import { setWeight } from './weight.ts'

const weight = integer('WEIGHT', -254, 254)
const delay = kinds.seconds(0.000001, 3600, 6)

export const processKeywords: readonly ProcessEntry[] = inBlock<ProcessDraft>(
  'vrrp_track_process',
  [
    {
      name: 'process',
      once: true,
      args: [command],
      doc: 'COMMAND [ARGUMENT …]. Without arguments the name of the process counts, of which the kernel keeps 15 characters; with arguments argv[0] and all of them.',
      set: setProcess,
    },
    {
      name: 'weight',
      once: true,
      missing: 'config',
      args: [weight, anyWords('reverse')],
      default: '0',
      doc: 'What the quorum does to the priority of the instances that track it; 0 makes its loss a fault.',
      set: setWeight,
    },
    {
      name: 'quorum',
      args: [integer('COUNT', 1, 65_535)],
      default: '1',
      doc: 'Least number of them. With `quorum_max 0` and no quorum it is 0: none may be there.',
      set: setLeast,
    },
    {
      name: 'quorum_max',
      args: [integer('COUNT', 0, 65_535)],
      default: 'none',
      doc: 'Greatest number of them; 0: the process must be absent.',
      set: setMost,
    },
  ],
)

const exact: kinds.Kind<ProcessesWanted['match']> = kinds.oneOf(
  'initial|partial',
  'exact',
  'initial',
  'partial',
)

export const processOptions: Options<ProcessOptions> = new Options<ProcessOptions>({
  match: {
    name: 'param_match',
    takes: {
      ...exact,
      args: [{ ...choice('initial|partial', 'initial', 'partial'), optional: true }],
    },
    default: null,
    defaultText: 'exact',
    doc: 'Arguments may follow those that are written; with `partial` the last of these may also be the beginning of one.',
  },
  full: {
    name: 'full_command',
    takes: kinds.bare,
    default: false,
    doc: 'argv[0] counts, not the name.',
  },
  gainDelayUs: {
    name: 'fork_delay',
    takes: delay,
    default: us(0),
    doc: 'How long the quorum must last before it counts.',
  },
  lossDelayUs: {
    name: 'terminate_delay',
    takes: delay,
    default: us(0),
    doc: 'How long its loss must last before it counts.',
  },
})

export const processOptionLines: readonly ProcessEntry[] = [
  ...optionLines('vrrp_track_process', processOptions, ({ options }: ProcessDraft) => options),
  ...inBlock<ProcessDraft>('vrrp_track_process', [
    {
      name: 'delay',
      args: delay.args,
      unit: 's',
      default: '0',
      doc: 'Both.',
      set: ({ options }, values, node) => {
        options.set('gainDelayUs', seconds(values), node.place)
        options.set('lossDelayUs', seconds(values), node.place)
      },
    },
  ]),
]

export const fileOptions: Options<FileOptions> = new Options<FileOptions>({
  path: {
    name: 'file',
    once: true,
    missing: 'config',
    takes: kinds.word('PATH'),
    default: null,
    doc: 'The file. Its first 127 octets may hold a number (decimal, 0x… or 0…); otherwise it counts as 0. It is looked at when it changes, and every second.',
  },
})

export const fileOptionLines = optionLines(
  'track_file',
  fileOptions,
  ({ options }: FileDraft) => options,
)

export const fileKeywords: readonly FileEntry[] = inBlock<FileDraft>('track_file', [
  {
    name: 'weight',
    once: true,
    missing: 'config',
    args: [weight, anyWords('reverse')],
    default: '1',
    doc: 'Factor of the number. What comes out is added to the priority: above 253 it is 253, and -254 or less is a fault. 0 makes any number but 0 a fault.',
    set: setWeight,
  },
  {
    name: 'init_file',
    args: [anyWords('[VALUE] [overwrite]')],
    default: 'none',
    doc: 'The daemon writes VALUE (0 unless written; the last of several) when it starts, if the file is not there, or in any case with `overwrite`. A VALUE beyond ±254 is a mistake in the file and is written all the same. Under systemd/vipd.service it may write below /run/vipd only.',
    set: setInitialValue,
  },
])

function setLeast(draft: ProcessDraft, values: Values, node: Node, lowering: Lowering) {
  const least = number(values)
  if (least > draft.most) {
    const message = `quorum ${least} is greater than quorum_max ${draft.most}; it is ignored`
    lowering.error(node.place, 'bad-number', message)
  } else draft.least = least
}

function setMost(draft: ProcessDraft, values: Values, node: Node, lowering: Lowering) {
  const most = number(values)
  if (draft.least !== null && most < draft.least) {
    const message = `quorum_max ${most} is less than quorum ${draft.least}; it is ignored`
    lowering.error(node.place, 'bad-number', message)
  } else draft.most = most
}

function setProcess(draft: ProcessDraft, _values: Values, node: Node, lowering: Lowering) {
  if (node.args.length === 0) {
    lowering.missingOperand(node.place, 'process needs a command; the line is ignored')
    return
  }
  const [, ...words] = commandWords(node, lowering)
  draft.words = words
}

/**
 * Numbers and `overwrite` in any order; the last number counts. One beyond ±254 is named and written all the same, as
 * keepalived does: -300 makes the fault that was probably meant.
 */
function setInitialValue(draft: FileDraft, _values: Values, node: Node, lowering: Lowering) {
  const words = node.args.filter(({ text: said }) => said !== 'overwrite')
  let value = 0
  for (const said of words) {
    const read = readWord(integer('VALUE', -0x80000000, 0x7fffffff), said)
    if (!/^[-\d]/.test(said.text)) {
      const message = `init_file takes a number and 'overwrite', not ${said.text}; the word is ignored`
      lowering.error(said, 'unknown-word', message)
    } else if ('why' in read)
      lowering.error(said, 'bad-number', `init_file ${said.text} ${read.why}; it is ignored`)
    else value = Number(read.value)
    if (Math.abs(value) <= 254 || 'why' in read) continue
    const message = `init_file ${value} is not in -254..254; it is written all the same`
    lowering.error(said, 'bad-number', message)
  }
  draft.initialValue = { value, overwrite: words.length < node.args.length }
}
