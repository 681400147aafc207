/** How entries of the table are written: what most lines have in common is left out. */
import type { Ip } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import { secondsToUs } from '../../base/time.ts'
import type { Argument, BlockName, Entry, KeywordStatus, Value, Values } from './entries.ts'

type Given = 'name' | 'doc'
type Spelled<T> = Pick<Entry<T>, Given> & Partial<Omit<Entry<T>, Given | 'block'>>

/** Completes entries of one block: a supported line without arguments unless it says otherwise. */
export function inBlock<T>(block: BlockName, entries: readonly Spelled<T>[]): readonly Entry<T>[] {
  return entries.map((entry) => ({
    block,
    status: 'supported',
    args: [],
    form: 'line',
    missing: 'operand',
    extra: 'note',
    ...entry,
  }))
}

/** Entries that this version checks and does not act on, or leaves to other parts of keepalived. */
export function withoutEffect(
  block: BlockName,
  status: KeywordStatus,
  entries: readonly Spelled<null>[],
): readonly Entry<null>[] {
  return inBlock<null>(
    block,
    entries.map((entry) => ({ status, ...entry })),
  )
}

export const number = (values: Values, i = 0): number => Number(values[i] ?? 0)
export const text = (values: Values, i = 0): string => String(values[i] ?? '')
export const flag = (values: Values, i = 0): boolean => values[i] === true
/** Of an `address` argument. */
export const address = (values: Values): Ip => values[0] as Ip
export const seconds = (values: Values, i = 0): Us => secondsToUs(number(values, i))
export const given = (value: Value | undefined): value is Value => value !== undefined

export const integer = (
  name: string,
  min: number,
  max: number,
  more: { readonly zeroIs?: number; readonly clamp?: true; readonly optional?: true } = {},
): Argument => ({ kind: 'integer', name, min, max, ...more })

export const decimal = (
  name: string,
  min: number,
  max: number,
  places: number,
  more: { readonly zeroIs?: number } = {},
): Argument => ({ kind: 'decimal', name, min, max, places, ...more })

export const onOff: Argument = { kind: 'switch', name: 'on|off', optional: true }
export const onUnlessOff: Argument = { ...onOff, otherwiseOn: true }
export const word = (name: string): Argument => ({ kind: 'text', name })
export const absolutePath = (name: string): Argument => ({ kind: 'text', name, absolute: true })
/** `why`: of a word that does not match, a verb phrase. */
export const matching = (name: string, pattern: RegExp, why: string): Argument => ({
  kind: 'text',
  name,
  matching: { pattern, why },
})
export const pathPart = (name: string): Argument => ({ kind: 'text', name, part: true })
export const optionalWord = (name: string): Argument => ({ kind: 'text', name, optional: true })
export const interfaceName: Argument = { kind: 'interface', name: 'INTERFACE' }
export const command: Argument = { kind: 'command', name: 'COMMAND' }
export const userAndGroup: Argument = { kind: 'user', name: 'USER' }
export const anyWords = (name: string): Argument => ({ kind: 'words', name, optional: true })
export const choice = (name: string, ...values: readonly string[]): Argument => ({
  kind: 'choice',
  name,
  values,
})

/** The longest span that keepalived takes in whole seconds: 2³² µs. */
export const longest = 4294
export const unsigned = 4_294_967_295
