/** A pseudo-terminal of script(1), and what a program has put on its screen. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../../src/lab/wait.ts'

export const soonMs = 60_000

/** As much of a terminal as watch uses. */
export class Screen {
  rows: string[] = []
  alternate = false
  cursorHidden = false
  #row = 0
  #column = 0

  take(text: string): void {
    const parts = /\p{Cc}\[([?\d;]*)([A-Za-z])|([^\p{Cc}]+)/gu
    for (const [, numbers = '', letter, plain] of text.matchAll(parts)) {
      if (plain !== undefined) this.#put(plain)
      else this.#obey(numbers, letter ?? '')
    }
  }

  get text(): string {
    return this.rows.map((row) => row ?? '').join('\n')
  }

  #put(plain: string): void {
    const before = (this.rows[this.#row] ?? '').padEnd(this.#column)
    const end = this.#column + plain.length
    this.rows[this.#row] = before.slice(0, this.#column) + plain + before.slice(end)
    this.#column = end
  }

  #obey(numbers: string, letter: string): void {
    if (letter === 'H') {
      const [row = 1, column = 1] = numbers.split(';').map(Number)
      this.#row = row - 1
      this.#column = column - 1
    } else if (letter === 'K')
      this.rows[this.#row] = (this.rows[this.#row] ?? '').slice(0, this.#column)
    else if (letter === 'J') this.rows = []
    else if (numbers === '?1049') this.alternate = letter === 'h'
    else if (numbers === '?25') this.cursorHidden = letter === 'l'
  }
}

/** What script(1) was started with: its input and, by the callback that it was given, its output. */
export type Started = { write(text: string): void; readonly ended: Promise<unknown> }

type Options = {
  /** Where the shell in the terminal leaves its files. */
  readonly dir: string
  /** The same directory as the shell sees it; absent: under the same name. */
  readonly seen?: string
  readonly name: string
  /** What runs in the terminal, for a shell: `exec` puts it into the place of the process that `pid` names. */
  readonly program: string
  /** How the shell runs `sh PROGRAM`: what is before and behind it, as job control. */
  readonly shell?: (run: string) => string
  /** Starts `script` with these arguments. */
  readonly start: (args: readonly string[], onData: (bytes: Uint8Array) => void) => Started
}

export class Session {
  readonly screen = new Screen()
  raw = ''
  readonly started: Started
  readonly #dir: string
  readonly #name: string

  constructor({ dir, seen = dir, name, program, start, shell = (run) => run }: Options) {
    this.#dir = dir
    this.#name = name
    const file = (kind: string) => `'${seen}/${name}.${kind}'`
    writeFileSync(join(dir, `${name}.sh`), `echo $$ > ${file('pid')}\n${program}\n`)
    const inner = `stty rows 24 cols 100; tty > ${file('tty')}; stty -g > ${file('before')}; ${shell(`sh ${file('sh')}`)}; echo $? > ${file('status')}; stty -g > ${file('after')}`
    this.started = start(['-qfc', inner, '/dev/null'], (bytes) => {
      const text = Buffer.from(bytes).toString()
      this.raw += text
      this.screen.take(text)
    })
  }

  /** Of script(1), and so of all that ran in the terminal. Rejects with what is on the screen if that does not come soon. */
  get ended(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const giveUp = () =>
        reject(
          new Error(`${this.#name} goes on after ${soonMs} ms; its screen:\n${this.screen.text}`),
        )
      const timer = setTimeout(giveUp, soonMs)
      void this.started.ended.then(resolve).finally(() => clearTimeout(timer))
    })
  }

  type(keys: string): void {
    this.started.write(keys)
  }

  shows(what: RegExp): Promise<unknown> {
    return until(`${what} on the screen`, soonMs, () => what.test(this.screen.text))
  }

  /** What the shell has left: `tty`, `pid`, `status`, the modes `before` and `after`. */
  read(kind: string): string {
    return readFileSync(join(this.#dir, `${this.#name}.${kind}`), 'utf8').trim()
  }

  has(kind: string): boolean {
    const file = join(this.#dir, `${this.#name}.${kind}`)
    return existsSync(file) && this.read(kind) !== ''
  }
}
