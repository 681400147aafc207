/**
 * Configuration text → tree of lines and blocks. Knows braces and no keyword, but for two lines of
 * `global_defs` that change the language itself while it is being read: `include_check` and `random_seed`.
 * Nothing stops it: every mistake is a diagnostic with its place, and reading goes on after it.
 */
import { seeded } from '../../base/seeded.ts'
import type { Place } from '../place.ts'
import type { World } from '../world.ts'
import { errorAt, warningAt, wholeFile } from './diagnostics.ts'
import { parseChecks, pathsOf, readable, tooManyNames } from './include.ts'
import { blockDepthMax } from './limits.ts'
import { Lines } from './lines.ts'
import { placeAt, type Text } from './source.ts'
import type { LanguageOptions, Node, Tree, Word } from './tree-types.ts'
import { splitWords } from './words.ts'

type Draft = {
  readonly keyword: Word
  readonly args: readonly Word[]
  readonly raw: string
  readonly glued: boolean
  readonly place: Place
  block: Node[] | null
  opened: Place | null
}

/** A block that is being read. `draft` is null for a `{` that belongs to no line. */
type Frame = { readonly draft: Draft | null; readonly place: Place; readonly nodes: Node[] }

/**
 * Reads the configuration at `path`, which may be a pattern like an include's, and all that it includes.
 * A file that is not there is a `fatal` diagnostic of an empty tree.
 */
export function parseTree(path: string, world: World, options: LanguageOptions): Tree {
  const lines = new Lines(world, options)
  openMain(lines, path, world)
  const builder = new Builder(lines)
  const nodes = builder.build()
  return { nodes, diagnostics: lines.diagnostics, files: lines.files }
}

function openMain(lines: Lines, path: string, world: World): void {
  const report = (code: string, why: string): void => {
    lines.diagnostics.push(errorAt(wholeFile(path), code, why, 'fatal'))
  }
  // A name without a pattern is opened as it is, so that the reason is the system's.
  const exact = world.stat(path) !== null || !/[*?[\]{}\\]/.test(path)
  const paths = exact ? [path] : pathsOf(world, path)
  if (paths === null) {
    lines.diagnostics.push(tooManyNames(wholeFile(path), path))
    return
  }
  const read = paths.map((one) => ({ path: one, ...readable(world, one) }))
  const files = read.flatMap((one) => ('text' in one ? [one] : []))
  const [unread] = read.flatMap((one) => ('text' in one ? [] : [one]))
  if (paths.length === 0) report('file-unreadable', 'there is no such file')
  else if (files.length === 0 || unread?.limit === true)
    report(unread?.limit === true ? 'file-too-large' : 'file-unreadable', unread?.why ?? '')
  if (files.length > 1) {
    const message = `${files.length} files match and all are read, ${files[0]?.path ?? ''} first`
    lines.diagnostics.push(warningAt(wholeFile(path), 'multiple-files', message, 'config'))
  }
  for (const file of files.reverse()) lines.push(file)
}

class Builder {
  readonly #lines: Lines
  readonly #root: Node[] = []
  readonly #frames: Frame[] = []
  /** The line that a `{` would belong to. */
  #last: Draft | null = null
  /** Depth inside of blocks beyond the limit, whose content is skipped. */
  #skipped = 0

  constructor(lines: Lines) {
    this.#lines = lines
  }

  build(): readonly Node[] {
    for (let piece = this.#lines.next(); piece !== null; piece = this.#lines.next()) {
      if (piece.kind === 'line') this.#line(piece.source)
      else if (piece.kind === 'open') this.#open(piece.place)
      else this.#close(piece.place)
    }
    for (const { draft, place } of this.#frames) this.#unclosed(draft, place)
    return this.#root
  }

  get #nodes(): Node[] {
    return this.#frames.at(-1)?.nodes ?? this.#root
  }

  #report(place: Place, code: string, message: string): void {
    this.#lines.diagnostics.push(errorAt(place, code, message))
  }

  #line(source: Text): void {
    if (this.#skipped > 0) return
    const { words, openQuote } = splitWords(source)
    if (openQuote !== null) this.#lines.unmatchedQuote(openQuote)
    const [keyword] = words
    if (keyword === undefined) return
    // A rest pattern would go through an iterator and leave the array with room for more.
    const args = words.slice(1)
    const place = placeAt(source, 0)
    const { text: raw, glued } = source
    const draft: Draft = { keyword, args, raw, glued, place, block: null, opened: null }
    this.#nodes.push(draft)
    this.#last = draft
    if (this.#inGlobals()) this.#language(draft)
  }

  #open(place: Place): void {
    if (this.#skipped > 0 || this.#frames.length >= blockDepthMax) {
      if (this.#skipped++ === 0) {
        const message = `blocks nest deeper than ${blockDepthMax}; this one is skipped`
        this.#report(place, 'blocks-too-deep', message)
      }
      return
    }
    const draft = this.#last
    this.#last = null
    if (draft === null) {
      // Its lines are kept where they stand, and its `}` is expected: nothing else is left open by it.
      this.#report(place, 'unexpected-open-brace', "this '{' belongs to no line; it is ignored")
      this.#frames.push({ draft, place, nodes: this.#nodes })
      return
    }
    draft.block = []
    draft.opened = place
    this.#frames.push({ draft, place, nodes: draft.block })
  }

  #close(place: Place): void {
    this.#last = null
    if (this.#skipped > 0) {
      this.#skipped--
      return
    }
    if (this.#frames.pop() !== undefined) return
    this.#report(place, 'unexpected-close-brace', "this '}' closes nothing; it is ignored")
  }

  #unclosed(draft: Draft | null, place: Place): void {
    const what = draft === null ? "this '{'" : `the block '${draft.keyword.text}'`
    this.#report(
      draft?.place ?? place,
      'missing-close-brace',
      `${what} is never closed: a '}' is missing`,
    )
  }

  #inGlobals(): boolean {
    return this.#frames.length === 1 && this.#frames[0]?.draft?.keyword.text === 'global_defs'
  }

  #language({ keyword, args }: Draft): void {
    if (keyword.text === 'include_check') {
      const operands = args.map((word) => word.text)
      const { checks, unknown } = parseChecks(operands, this.#lines.checks)
      this.#lines.checks = checks
      for (const i of unknown) {
        const word = args[i] ?? keyword
        this.#report(
          word.place,
          'bad-include-check',
          `'${word.text}' is not an include check; it is ignored`,
        )
      }
    }
    const seed = keyword.text === 'random_seed' ? args[0]?.text : undefined
    if (seed !== undefined && /^\d{1,10}$/.test(seed)) this.#lines.random = seeded(Number(seed))
  }
}
