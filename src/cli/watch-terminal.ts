/**
 * The terminal while `vipd watch` has it: the alternate screen, of which only rows that changed are written. However the
 * program ends, but for SIGKILL, the terminal is as it was before.
 */
import type { ReadStream, WriteStream } from 'node:tty'

const csi = '\u001b['
/** Alternate screen, cursor hidden, no wrapping of long rows. */
const enterCodes = `${csi}?1049h${csi}?25l${csi}?7l${csi}2J`
const leaveCodes = `${csi}0m${csi}?7h${csi}?25h${csi}?1049l`
/** A terminal that knows it shows all of a frame at once; others pass it over. */
const [frameBegin, frameEnd] = [`${csi}?2026h`, `${csi}?2026l`]

export class WatchTerminal {
  readonly #in: ReadStream
  readonly #out: WriteStream
  #rows: readonly string[] = []
  #held = false

  constructor(input: ReadStream, output: WriteStream) {
    this.#in = input
    this.#out = output
  }

  get size(): { readonly columns: number; readonly rows: number } {
    // A terminal that does not know its size says 0.
    return { columns: this.#out.columns || 80, rows: this.#out.rows || 24 }
  }

  enter(): void {
    if (this.#held) return
    this.#held = true
    this.#in.setRawMode(true)
    this.#in.resume()
    this.#out.write(enterCodes)
    this.#rows = []
  }

  leave(): void {
    if (!this.#held) return
    this.#held = false
    this.#out.write(leaveCodes)
    this.#in.setRawMode(false)
    this.#in.pause()
  }

  /** After a stop: the shell has had the terminal meanwhile, and its mode, screen and size may be others. */
  enterAgain(): void {
    if (this.#held) this.#in.setRawMode(false)
    this.#held = false
    this.enter()
    // The kernel tells a change of size to the program in the foreground alone.
    process.kill(process.pid, 'SIGWINCH')
  }

  /** Every row is written by the next `draw`. */
  forget(): void {
    this.#rows = []
    if (this.#held) this.#out.write(`${csi}2J`)
  }

  /** Rows from the top; those below are empty. One that does not keep up misses frames. */
  draw(rows: readonly string[]): void {
    if (!this.#held || this.#out.writableNeedDrain) return
    const text = difference(this.#rows, rows.slice(0, this.size.rows))
    this.#rows = rows
    if (text !== '') this.#out.write(`${frameBegin}${text}${frameEnd}`)
  }
}

/** What makes a screen with the rows `before` one with the rows `after`. */
export function difference(before: readonly string[], after: readonly string[]): string {
  const count = Math.max(before.length, after.length)
  return Array.from({ length: count }, (_, i) => {
    const [old, next] = [before[i] ?? '', after[i] ?? '']
    return old === next ? '' : `${csi}${i + 1};1H${next}${csi}0m${csi}K`
  }).join('')
}
