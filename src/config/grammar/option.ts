/**
 * A plain option: one keyword, one field of the configuration. Its declaration is all that there is of it, but for the
 * field's line in a type and for what acts on the field: the setter, the default, what `global_defs` and strict mode do
 * to it, its row in docs/configuration.md and its words in `vipd check` come from here.
 *
 * A table of options is tied to a type: it has a row for every field and for no other.
 */
import type { Lowering } from '../draft/report.ts'
import type { Written } from '../draft/written.ts'
import type { BlockName, Entry } from './entries.ts'
import type { Kind } from './kinds.ts'

/**
 * When a value that a reload brings counts. `now`: it is applied. `restart`: it is taken when the daemon starts, and only
 * then. `next-start`: it means nothing until the daemon starts again, and needs no restart for its own sake. `refused`:
 * another value would be another daemon, so the reload is refused.
 */
export type OnReload = 'now' | 'restart' | 'next-start' | 'refused'

type Rows<R, C> = { readonly [F in keyof R]: Option<R, F, C> }

/** Values of some of the options. */
export type Values<R> = { -readonly [F in keyof R]?: R[F] }

/** What may differ between an option in its block and in `global_defs`. */
type Line<V> = {
  readonly takes: Kind<V>
  /** Its paragraph. */
  readonly doc: string
  readonly note?: string | undefined
  /** Version of keepalived that introduced it, where that matters to a peer. */
  readonly since?: string | undefined
  /** What a missing word is to `vipd check`, as in `Entry`. */
  readonly missing?: 'config' | undefined
  readonly extra?: 'error' | undefined
  readonly once?: true | undefined
  /** The default in the documentation, where the value itself does not say it; null: none is shown. */
  readonly defaultText?: string | null | undefined
}

export type Option<R, F extends keyof R, C> = Line<NonNullable<R[F]>> & {
  /** The keyword; null: it stands in `global_defs` only, for all blocks. */
  readonly name: string | null
  /** The keyword of `global_defs` that counts for each block that does not say otherwise. */
  readonly global?: { readonly name: string } & Partial<Line<NonNullable<R[F]>>>
  /** What a word that cannot be used leaves behind, where that differs from the default. */
  readonly bad?: NonNullable<R[F]>
  /** Another keyword for the same field, such as `no_accept`. */
  readonly opposite?: Pick<Line<NonNullable<R[F]>>, 'takes' | 'doc'> & { readonly name: string }
  /** An older spelling. `counts`: writing it is an error to keepalived's own check. */
  readonly older?: { readonly name: string; readonly counts?: true }
  /** Its value under strict mode. `reported`: another value that is written is an error. */
  readonly strict?: { readonly value: R[F]; readonly reported?: true }
  /** What `vipd check` says of a value; false: nothing. With a label it is a row of its own. */
  readonly inCheck?: (value: R[F], of: C) => string | false
  readonly label?: string
  /** Of an option of `global_defs`; absent: `now`. */
  readonly onReload?: OnReload
} & (
    | { readonly default: R[F] }
    /** `written`: the options of the same table, in the same block. */
    | { readonly defaultFrom: (lowering: Lowering, written: Written<R>) => R[F] }
  )

const fieldsOf = <T extends object>(rows: T): readonly (keyof T)[] =>
  Object.keys(rows) as (keyof T)[]

/** `C` is what `vipd check` describes with these options: an instance, a script, the globals. */
export class Options<R extends object, C = R> {
  readonly rows: Rows<R, C>
  /** In the order of the table. */
  readonly fields: readonly (keyof R)[]
  /** Of those that have a value as default. */
  readonly defaults: Values<R>
  /** Those whose default follows from other lines. */
  readonly derived: readonly (keyof R)[]
  /** Those that strict mode sets. */
  readonly strict: readonly (keyof R)[]

  constructor(rows: Rows<R, C>) {
    this.rows = rows
    this.fields = fieldsOf(rows)
    const defaults: Values<R> = {}
    for (const field of this.fields) setDefault(defaults, field, rows[field])
    this.defaults = defaults
    this.derived = this.fields.filter((field) => 'defaultFrom' in rows[field])
    this.strict = this.fields.filter((field) => rows[field].strict !== undefined)
  }
}

function setDefault<R, F extends keyof R, C>(
  values: Values<R>,
  field: F,
  option: Option<R, F, C>,
): void {
  if ('default' in option) values[field] = option.default
}

/** The entries of a block. `at`: the part of its draft into which they write. */
export const optionLines = <R extends object, C, D>(
  block: BlockName,
  options: Options<R, C>,
  at: (draft: D) => Written<R>,
): readonly Entry<D>[] =>
  options.fields.flatMap((field) => ownLines(block, field, options.rows[field], at))

/** The entries of `global_defs` that set what blocks inherit. */
export const globalLines = <R extends object, C, D>(
  options: Options<R, C>,
  at: (draft: D) => Written<R>,
): readonly Entry<D>[] =>
  options.fields.flatMap((field) => inheritedLines(field, options.rows[field], at))

function inheritedLines<R, F extends keyof R, C, D>(
  field: F,
  option: Option<R, F, C>,
  at: (draft: D) => Written<R>,
): readonly Entry<D>[] {
  const { global } = option
  if (global === undefined) return []
  const own: Line<NonNullable<R[F]>> = option
  const line = { ...own, defaultText: valueText(option), ...global }
  return [entry('global_defs', field, line, at)]
}

function ownLines<R, F extends keyof R, C, D>(
  block: BlockName,
  field: F,
  option: Option<R, F, C>,
  at: (draft: D) => Written<R>,
): readonly Entry<D>[] {
  const { name, opposite, older } = option
  if (name === null) return []
  const own: Line<NonNullable<R[F]>> = option
  const { defaultText = inheritedText(option) ?? valueText(option) } = own
  const line = { ...own, name, bad: option.bad, defaultText }
  const entries = [entry(block, field, line, at)]
  if (opposite !== undefined) entries.push(entry(block, field, { ...opposite, bad: undefined }, at))
  if (older !== undefined) {
    const spelling = { ...line, ...older, since: undefined, doc: 'An older spelling.' }
    const deprecationCounts = older.counts
    entries.push({ ...entry(block, field, spelling, at), deprecated: name, deprecationCounts })
  }
  return entries
}

/** One line of the keyword table, which sets one field. */
function entry<R, F extends keyof R, D>(
  block: BlockName,
  field: F,
  line: Line<NonNullable<R[F]>> & { readonly name: string; readonly bad?: R[F] | undefined },
  at: (draft: D) => Written<R>,
): Entry<D> {
  const { name, takes, doc, note, since, once, bad } = line
  const texts = { doc, note, since, default: line.defaultText ?? undefined, unit: takes.unit }
  const { missing = 'operand', extra = 'note' } = line
  return {
    ...{ block, name, status: 'supported', args: takes.args, form: 'line', missing, extra, once },
    ...texts,
    set: (draft, values, node) => {
      const value = takes.value(values)
      if (value !== undefined) at(draft).set(field, value, node.place)
    },
    bad:
      bad === undefined
        ? undefined
        : (draft) => {
            at(draft).set(field, bad, null)
          },
  }
}

const inheritedText = <R, F extends keyof R, C>({
  name,
  global,
}: Option<R, F, C>): string | undefined =>
  global?.name === name ? `the global ${name}` : global?.name

/** The default as it is written, and the value of strict mode where that is another. */
function valueText<R, F extends keyof R, C>(option: Option<R, F, C>): string | undefined {
  const { takes, strict } = option
  const text = (value: R[F]) =>
    value === null || value === undefined ? undefined : takes.text(value)
  if (!('default' in option)) return undefined
  const usual = text(option.default)
  const strictly = strict === undefined ? usual : text(strict.value)
  return usual === strictly ? usual : `${usual} (${strictly} in strict mode)`
}

/** What `vipd check` says of a value. */
export type Said = { readonly label: string; readonly text: string }

/** What `vipd check` says of the options of a table, in its order. */
export const inCheck = <R extends object, C>(
  options: Options<R, C>,
  values: R,
  of: C,
): readonly Said[] =>
  options.fields.flatMap((field) => saidOf(options.rows[field], values[field], of))

function saidOf<R, F extends keyof R, C>(
  option: Option<R, F, C>,
  value: R[F],
  of: C,
): readonly Said[] {
  const text = option.inCheck?.(value, of) ?? false
  return text === false ? [] : [{ label: option.label ?? '', text }]
}
