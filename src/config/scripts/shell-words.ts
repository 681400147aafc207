/**
 * A shell's text as the simple commands in it, so that script security can look at what they run: those of lists,
 * pipelines, `if`, loops, `case`, subshells, substitutions and functions alike. Nothing is expanded: a word that only
 * the shell can tell is null. Where bash and sh read differently, more is taken for a command rather than less.
 */
/** null: an expansion or a pattern stands in it. */
export type ShellWord = string | null

export type ShellCommand = {
  /** `NAME=value` before the command, or alone. */
  readonly assignments: readonly { readonly name: string; readonly value: ShellWord }[]
  /** The program or builtin, and its arguments. */
  readonly words: readonly ShellWord[]
}

/** In the order of the text; the commands of a substitution stand before the one that uses it. */
export function shellCommands(text: string): readonly ShellCommand[] {
  const reader = new Reader(text)
  reader.list(null)
  return reader.found
}

/** Deeper, the text is not understood. */
const depthMax = 64

/** A command follows them, or nothing. */
const introducing = new Set([
  'if', 'then', 'elif', 'else', 'while', 'until', 'do', 'coproc',
  'fi', 'done', 'esac', '!', '{', '}',
]) // biome-ignore format: a list of words

/** `(( … ))`, but not a subshell in a subshell, which begins alike: with neither words in quotes nor paths. */
const arithmetic = /\(\([\w\s$+\-*%<>=!&|?:,;^~()]*\)\)/y

const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t'
const endsWord = (char: string | undefined): boolean =>
  char === undefined || /[\s;&|()<>]/.test(char)

class Reader {
  readonly found: ShellCommand[] = []
  readonly #text: string
  #at = 0
  #depth = 0
  #cases = 0
  #assignments: { readonly name: string; readonly value: ShellWord }[] = []
  #words: ShellWord[] = []

  constructor(text: string) {
    this.#text = text
  }

  /** Commands up to the `)` that closes them, or to the end. */
  list(until: ')' | null): void {
    const outer = { assignments: this.#assignments, words: this.#words, cases: this.#cases }
    this.#assignments = []
    this.#words = []
    this.#cases = 0
    this.#depth++
    if (this.#depth > depthMax) this.#giveUp()
    while (this.#at < this.#text.length && !this.#step(until));
    this.#end()
    this.#depth--
    this.#assignments = outer.assignments
    this.#words = outer.words
    this.#cases = outer.cases
  }

  /** True at the end of the list. */
  #step(until: ')' | null): boolean {
    const char = this.#text[this.#at]
    if (isBlank(char)) this.#at++
    else if (this.#takes('\\\n')) return false
    else if (char === '#') this.#skipTo('\n')
    else if (this.#takes('&>')) this.#target()
    else if (char === '<' || char === '>') this.#redirection()
    else if (char === '\n' || char === ';' || char === '&' || char === '|') this.#operator()
    else if (char === '(') this.#open()
    else if (char === ')') {
      this.#end()
      this.#at++
      return until === ')'
    } else this.#argument()
    return false
  }

  #operator(): void {
    this.#end()
    const caseEnds = this.#cases > 0 && /^;[;&]/.test(this.#text.slice(this.#at, this.#at + 2))
    while (/[\n;&|]/.test(this.#text[this.#at] ?? '') && !this.#sees('&>')) this.#at++
    if (caseEnds) this.#pattern()
  }

  #open(): void {
    if (this.#match(arithmetic) !== null) return
    if (this.#words.length > 0 && /^\(\s*\)/.test(this.#text.slice(this.#at))) {
      // The name of a function; its body follows.
      this.#words = []
      this.#at = this.#text.indexOf(')', this.#at) + 1
    } else {
      this.#end()
      this.#at++
      this.list(')')
    }
  }

  /** Up to `))`, with the substitutions in it. */
  #arithmetic(): void {
    while (this.#at < this.#text.length && !this.#takes('))')) {
      if (this.#text[this.#at] === '$' || this.#text[this.#at] === '`') this.#expansion()
      else this.#at++
    }
  }

  #redirection(): void {
    if (/^[<>]\(/.test(this.#text.slice(this.#at, this.#at + 2))) {
      this.#at += 2
      this.list(')')
      this.#words.push(null)
      return
    }
    this.#match(/<<<|<<-?|<>|<&|>>|>&|>\||<|>/y)
    this.#target()
  }

  /** A file that is written or read is not run. */
  #target(): void {
    this.#takes('>')
    this.#skipBlanks()
    if (!endsWord(this.#text[this.#at])) this.#word()
  }

  #argument(): void {
    const starts = this.#words.length === 0
    const assigned = starts ? this.#match(/[A-Za-z_]\w*(?=\+?=)/y) : null
    if (assigned !== null) return this.#assignment(assigned)
    // The number before a redirection.
    if (this.#match(/\d+(?=[<>])/y) !== null) return
    const from = this.#at
    const word = this.#word()
    // A quote makes a word of the language an ordinary one.
    const bare = this.#text.slice(from, this.#at)
    if (!starts) this.#words.push(word)
    else if (bare === 'case') this.#case()
    else if (bare === '[[') this.#condition()
    else if (bare === 'function') {
      this.#skipBlanks()
      this.#word()
      this.#match(/\s*\(\s*\)/y)
    } else if (!introducing.has(bare)) this.#words.push(word)
  }

  #assignment(name: string): void {
    this.#match(/\+?=/y)
    if (this.#text[this.#at] === '(') {
      this.#at++
      this.list(')')
      return
    }
    const value = endsWord(this.#text[this.#at]) ? '' : this.#word()
    this.#assignments.push({ name, value })
  }

  /** `case WORD in`, up to the `)` of the first pattern. */
  #case(): void {
    this.#cases++
    this.#skipBlanks()
    this.#word()
    this.#match(/\s*in(?=\s)/y)
    this.#pattern()
  }

  #pattern(): void {
    this.#match(/\s*/y)
    if (this.#match(/esac(?![^\s;&|)])/y) !== null) {
      this.#cases--
      return
    }
    this.#takes('(')
    while (this.#at < this.#text.length && !this.#takes(')')) {
      if (endsWord(this.#text[this.#at])) this.#at++
      else this.#word()
    }
  }

  /** `[[ … ]]`: its operators are not the list's. */
  #condition(): void {
    while (this.#at < this.#text.length && this.#match(/\]\](?![^\s;&|)])/y) === null) {
      if (endsWord(this.#text[this.#at])) this.#at++
      else this.#word()
    }
  }

  #word(): ShellWord {
    let word: ShellWord = ''
    const first = this.#at
    while (!endsWord(this.#text[this.#at])) {
      const piece = this.#piece(first)
      word = word === null || piece === null ? null : word + piece
    }
    return word
  }

  #piece(first: number): ShellWord {
    const char = this.#text[this.#at] ?? ''
    if (char === '$' || char === '`') return this.#expansion()
    if (char === '"') return this.#doubleQuoted()
    if (char === "'") return this.#singleQuoted()
    if (char === '\\') return this.#escaped()
    this.#at++
    if (char === '~') return this.#at - 1 === first ? null : char
    const alone = this.#at - 1 === first && endsWord(this.#text[this.#at])
    return /[*?]/.test(char) || (/[[{]/.test(char) && !alone) ? null : char
  }

  #escaped(): string {
    const char = this.#text[this.#at + 1] ?? ''
    this.#at += 2
    return char === '\n' ? '' : char
  }

  #singleQuoted(): string {
    const from = this.#at + 1
    this.#skipTo("'")
    return this.#text.slice(from, this.#at++)
  }

  #doubleQuoted(): ShellWord {
    let text: ShellWord = ''
    this.#at++
    while (this.#at < this.#text.length && !this.#takes('"')) {
      const char = this.#text[this.#at] ?? ''
      let piece: ShellWord = char
      if (char === '$' || char === '`') piece = this.#expansion()
      else if (char === '\\' && /["\\$`\n]/.test(this.#text[this.#at + 1] ?? '')) {
        piece = this.#text[this.#at + 1] ?? ''
        this.#at += 2
      } else this.#at++
      text = text === null || piece === null ? null : text + piece
    }
    return text
  }

  /** `$…` or backquotes, with what they run. A `$` before nothing is itself. */
  #expansion(): ShellWord {
    if (this.#text[this.#at] === '`') this.#backquoted()
    else if (this.#takes('$((')) this.#arithmetic()
    else if (this.#takes('$(')) this.list(')')
    else if (this.#takes('${')) this.#parameter()
    else if (this.#takes("$'")) this.#skipQuoted()
    else if (this.#match(/\$(?:\w+|[@*#?!$-])/y) === null) {
      this.#at++
      return '$'
    }
    return null
  }

  #backquoted(): void {
    this.#at++
    let text = ''
    while (this.#at < this.#text.length && !this.#takes('`')) {
      if (this.#text[this.#at] === '\\') this.#at++
      text += this.#text[this.#at++] ?? ''
    }
    this.found.push(...shellCommands(text))
  }

  #parameter(): void {
    while (this.#at < this.#text.length && !this.#takes('}')) {
      const char = this.#text[this.#at]
      if (char === '$' || char === '`') this.#expansion()
      else if (char === '"') this.#doubleQuoted()
      else this.#at += char === '\\' ? 2 : 1
    }
  }

  #skipQuoted(): void {
    while (this.#at < this.#text.length && !this.#takes("'")) {
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1
    }
  }

  #end(): void {
    if (this.#words.length > 0 || this.#assignments.length > 0) {
      this.found.push({ assignments: this.#assignments, words: this.#words })
    }
    this.#assignments = []
    this.#words = []
  }

  /** What follows cannot be told, as if an expansion stood there. */
  #giveUp(): void {
    this.#words.push(null)
    this.#at = this.#text.length
  }

  #skipBlanks(): void {
    while (isBlank(this.#text[this.#at])) this.#at++
  }

  #skipTo(char: string): void {
    const to = this.#text.indexOf(char, this.#at + 1)
    this.#at = to < 0 ? this.#text.length : to
  }

  #sees(text: string): boolean {
    return this.#text.startsWith(text, this.#at)
  }

  #takes(text: string): boolean {
    if (!this.#sees(text)) return false
    this.#at += text.length
    return true
  }

  #match(sticky: RegExp): string | null {
    sticky.lastIndex = this.#at
    const found = sticky.exec(this.#text)?.[0] ?? null
    if (found !== null) this.#at += found.length
    return found
  }
}
