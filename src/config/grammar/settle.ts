/** From what is written of plain options to the value of every one of them. */
import type { Lowering } from '../draft/report.ts'
import type { Written } from '../draft/written.ts'
import type { Place } from '../place.ts'
import type { Option, Options, Values } from './option.ts'

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
export function settle<R extends object, C>(
  options: Options<R, C>,
  block: Block<R>,
  lowering: Lowering,
): R {
  const values = valuesOf(options, block.written, block.inherited, lowering)
  if (!block.strict) return values
  const strict: Values<R> = {}
  for (const field of options.strict) {
    const { [field]: option } = options.rows
    if (option.strict === undefined) continue
    reportStrict(field, option, block, lowering)
    strict[field] = option.strict.value
  }
  return { ...values, ...strict }
}

/** The same where strict mode forbids nothing. */
export const settlePlain = <R extends object, C>(
  options: Options<R, C>,
  written: Written<R>,
  lowering: Lowering,
  inherited: Written<R> | null = null,
): R => valuesOf(options, written, inherited, lowering)

/** The value of one option without regard to strict mode. */
export function optionValue<R extends object, F extends keyof R, C>(
  options: Options<R, C>,
  field: F,
  written: Written<R>,
  inherited: Written<R> | null,
  lowering: Lowering,
): R[F] {
  return (
    written.get(field) ?? inherited?.get(field) ?? defaultOf(options.rows[field], written, lowering)
  )
}

/** A copy of the defaults with what is written over it: for thousands of blocks much less than field by field. */
function valuesOf<R extends object, C>(
  options: Options<R, C>,
  written: Written<R>,
  inherited: Written<R> | null,
  lowering: Lowering,
): R {
  const values = { ...options.defaults }
  inherited?.over(values)
  written.over(values)
  for (const field of options.derived) {
    values[field] = optionValue(options, field, written, inherited, lowering)
  }
  // The table has a row for every field, and each has its default by now.
  return values as R
}

function reportStrict<R, F extends keyof R, C>(
  field: F,
  { strict, name: keyword, takes }: Option<R, F, C>,
  { written, inherited, name, place }: Block<R>,
  lowering: Lowering,
): void {
  const wanted = written.get(field) ?? inherited?.get(field)
  if (!strict?.reported || wanted === undefined || wanted === strict.value) return
  const says = strict.value
    ? `strict mode has ${keyword} ${takes.text(strict.value)}; that is used`
    : `strict mode has no ${keyword}; it is ignored`
  lowering.error(written.placeOf(field) ?? place, 'strict-mode', `${name}: ${says}`)
}

const defaultOf = <R, F extends keyof R, C>(
  option: Option<R, F, C>,
  written: Written<R>,
  lowering: Lowering,
): R[F] => ('default' in option ? option.default : option.defaultFrom(lowering, written))
