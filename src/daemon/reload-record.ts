/** How the last reload ended, for `status` and for the supervisor. */
import type { Status } from '../report/status.ts'

type Config = Status['config']

/** Kept of a refusal; the command that asked gets all of them. */
const reasonsMax = 20
/** systemd shows one line. */
const summaryCharactersMax = 200

export class ReloadRecord {
  #result: Config['lastReload'] = 'none'
  #at: string | null = null
  #reasons: readonly string[] = []

  accepted(): void {
    this.#set('ok', [])
  }

  /** The first reasons are kept, and how many more there were. */
  rejected(reasons: readonly string[]): void {
    const more = reasons.length - reasonsMax
    const kept = reasons.slice(0, reasonsMax)
    this.#set('rejected', more > 0 ? [...kept, `${more} more`] : kept)
  }

  status(): Pick<Config, 'lastReload' | 'lastReloadAt' | 'lastReloadReasons'> {
    return {
      lastReload: this.#result,
      lastReloadAt: this.#at,
      lastReloadReasons: this.#reasons,
    }
  }

  /** '' unless it was rejected. One line. */
  summary(): string {
    if (this.#result !== 'rejected') return ''
    const [first = ''] = this.#reasons
    const text = `last reload rejected at ${this.#at}: ${first}`.replace(/\p{Cc}/gu, ' ')
    return text.slice(0, summaryCharactersMax)
  }

  #set(result: 'ok' | 'rejected', reasons: readonly string[]): void {
    this.#result = result
    this.#at = new Date().toISOString()
    this.#reasons = reasons
  }
}

/** One line for the log: the first reasons in full. */
export function refusalLine(reasons: readonly string[], forcible: boolean): string {
  const shown = reasons.slice(0, 3)
  const more = reasons.length > shown.length ? [`${reasons.length - shown.length} more`] : []
  const hint = forcible ? '; vipd reload --force would take it all the same' : ''
  return `Reload rejected, nothing has changed: ${[...shown, ...more].join('; ')}${hint}`
}
