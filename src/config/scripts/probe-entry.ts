/** What a kind of probe is in its table: its word, what stands behind it, what it makes, how it reads and is documented. */
import type { Command } from '../../base/command.ts'
import type { Probe } from '../../base/probe.ts'
import type { Lowering } from '../draft/report.ts'
import type { Word } from '../language/tree-types.ts'
import type { Option } from './probe-words.ts'

export type Operands = {
  readonly target: Word
  /** Words after the target that belong to it. */
  readonly more: readonly Word[]
  readonly options: readonly Option[]
  readonly lowering: Lowering
}

export type ProbeWord = {
  /** 'none': it has no target. */
  readonly target?: 'none'
  /** Does a word after the target belong to it. */
  readonly belongs?: (text: string, i: number) => boolean
  /** Of the options, those that it takes. */
  readonly options: readonly string[]
  /** Throws Mistake. */
  readonly make: (operands: Operands) => Command
  /** Scripts whose whole text means the same: they are answered in-process. null: it is none of them. */
  readonly instead?: (text: string) => Command | null
  /** Its row in docs/probes.md; null: another word's row has it. */
  readonly doc: { readonly usage: string; readonly yes: string; readonly options?: string } | null
}

/** By the word after `probe`. */
export type ProbeWords = Readonly<Record<string, ProbeWord>>

type ServiceWord = Omit<ProbeWord, 'make'> & { readonly make: (operands: Operands) => Probe }

/** Words of probes that ask a service (base/probe.ts). */
export const probes = (words: Readonly<Record<string, ServiceWord>>): ProbeWords =>
  Object.fromEntries(
    Object.entries(words).map(([word, { make, ...entry }]) => [
      word,
      { ...entry, make: (operands) => ({ kind: 'probe', probe: make(operands) }) },
    ]),
  )

type Describable = { readonly kind: string }
/** One line for people, for each kind. */
export type Descriptions<T extends Describable> = {
  readonly [K in T['kind']]: (one: Extract<T, { readonly kind: K }>) => string
}
