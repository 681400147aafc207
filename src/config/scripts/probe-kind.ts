/** What a kind of probe is: the words that it takes, what it asks, and that in a line for people. */
import type { Command } from '../../base/command.ts'
import type { Probe } from '../../base/probe.ts'
import type { Lowering } from '../draft/report.ts'
import type { Word } from '../language/tree-types.ts'
import type { Option } from './probe-words.ts'

export type ProbeKind = {
  /** 'none': it has no target. */
  readonly target?: 'none'
  /** Does a word after the target belong to it. */
  readonly belongs?: (text: string, i: number) => boolean
  /** Of the options, those that it takes. */
  readonly options: readonly string[]
  readonly make: (
    target: Word,
    options: readonly Option[],
    more: readonly Word[],
    lowering: Lowering,
  ) => Command
}

/** One that needs no word beside target and options. */
export const asks = (
  options: readonly string[],
  make: (target: Word, options: readonly Option[], lowering: Lowering) => Probe,
): ProbeKind => ({
  options,
  make: (target, given, _more, lowering) => ({
    kind: 'probe',
    probe: make(target, given, lowering),
  }),
})

/** By what the configuration says. */
export type ProbeKinds = Readonly<Record<string, ProbeKind>>

/** How `vipd check` describes what is asked. */
export type ProbeTexts = {
  readonly [K in Probe['kind']]: (probe: Extract<Probe, { readonly kind: K }>) => string
}
