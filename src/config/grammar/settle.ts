/** From what is written of plain options to the value of every one of them. */
import type { Lowering } from '../draft/report.ts'
import type { Written } from '../draft/written.ts'
import type { Place } from '../types.ts'
import { fieldsOf, type Option, type Options } from './option.ts'

/** A block whose options are settled. */
export type Block<R> = {
  readonly written: Written<R>
  /** What `global_defs` says of the same options; null: nothing is inherited. */
  readonly inherited: Written<R> | null
  readonly strict: boolean
  /** How messages call it, and where one stands that is about no line of its own. */
  readonly name: string
  readonly place: Place
}

/** The value of each option of a table: strict mode's, else as written here, else as inherited, else the default. */
export const settle = <R, C>(options: Options<R, C>, block: Block<R>, lowering: Lowering): R =>
  eachOf(options, (field) => settleOne(field, options[field], block, lowering))

function settleOne<R, F extends keyof R, C>(
  field: F,
  option: Option<R, F, C>,
  block: Block<R>,
  lowering: Lowering,
): R[F] {
  const { strict } = option
  const wanted = block.written.values[field] ?? block.inherited?.values[field]
  if (strict === undefined || !block.strict)
    return wanted ?? defaultOf(option, block.written, lowering)
  if (strict.reported && wanted !== undefined && wanted !== strict.value) {
    const place = block.written.places[field] ?? block.place
    const message = `${block.name}: ${strictText(option, strict.value)}`
    lowering.error(place, 'strict-mode', message)
  }
  return strict.value
}

function strictText<R, F extends keyof R, C>(
  { name, takes }: Option<R, F, C>,
  value: R[F],
): string {
  if (!value) return `strict mode has no ${name}; it is ignored`
  return `strict mode has ${name} ${takes.text(value)}; that is used`
}

const defaultOf = <R, F extends keyof R, C>(
  option: Option<R, F, C>,
  written: Written<R>,
  lowering: Lowering,
): R[F] => ('default' in option ? option.default : option.defaultFrom(lowering, written))

/** The same where strict mode forbids nothing. */
export function settlePlain<R, C>(
  options: Options<R, C>,
  written: Written<R>,
  lowering: Lowering,
  inherited: Written<R> | null = null,
): R {
  return eachOf(options, (field) => optionValue(options, field, written, inherited, lowering))
}

function eachOf<R, C>(options: Options<R, C>, value: <F extends keyof R>(field: F) => R[F]): R {
  const values: Written<R>['values'] = {}
  for (const field of fieldsOf(options)) values[field] = value(field)
  // The table has a row for every field.
  return values as R
}

/** The value of one option without regard to strict mode. */
export function optionValue<R, F extends keyof R, C>(
  options: Options<R, C>,
  field: F,
  written: Written<R>,
  inherited: Written<R> | null,
  lowering: Lowering,
): R[F] {
  const wanted = written.values[field] ?? inherited?.values[field]
  return wanted ?? defaultOf(options[field], written, lowering)
}
