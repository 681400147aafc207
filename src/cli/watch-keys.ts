/**
 * Octets from a terminal to keys. A slow line joins keys into one chunk and tears a key into two: an arrow that arrives
 * as Esc and the rest is no Esc.
 */

/** How long an Esc waits for the rest of a longer key, milliseconds; what terminals and ssh over slow lines need. */
const escapeMs = 100

const esc = '\u001b'
const whole = new RegExp(
  `${esc}\\[[\\d;]*[A-Za-z~]|${esc}O[A-Za-z]|${esc}(?![[O]|$)|[^${esc}]`,
  'gsu',
)
const begun = new RegExp(`${esc}(?:\\[[\\d;]*|O)?$`, 'u')

export class Keys {
  readonly #press: (key: string) => void
  #begun = ''
  #timer: NodeJS.Timeout | null = null

  /** `press` is called once for each key, with the octets that the terminal sends for it. */
  constructor(press: (key: string) => void) {
    this.#press = press
  }

  take(chunk: string): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const text = this.#begun + chunk
    this.#begun = begun.exec(text)?.[0] ?? ''
    const complete = text.length - this.#begun.length
    for (const { 0: key, index } of text.matchAll(whole)) if (index < complete) this.#press(key)
    if (this.#begun !== '') this.#timer = setTimeout(() => this.#giveUp(), escapeMs)
  }

  /** It was an Esc, and what follows it keys of their own. */
  #giveUp(): void {
    const text = this.#begun
    this.#begun = ''
    this.#timer = null
    for (const key of text) this.#press(key)
  }
}
