/**
 * Finds masters whose lease has lapsed although their daemon runs: another rule of the host dropped their adverts for a
 * while. The kernel takes what they send for a stale master's then; when two looks in a row have found one so, it is told
 * that it leads still. A daemon that has just woken up has been late, and gives up the lead before the second look.
 */

/** Between two looks. */
const everyMs = 500
/** A look that comes later than this begins anew: the process has stood still. */
const lateMs = 1_000
/** Each costs a request to the kernel. */
const perLook = 64

export type LeaseWatchPorts = {
  /** Masters with a lease that is in force, by name. */
  leading(): readonly string[]
  /** Its adverts may not renew; null: that cannot be read. */
  hasLapsed(name: string): boolean | null
  lapsed(names: ReadonlySet<string>): void
  nowMs(): number
}

export class LeaseWatch {
  readonly #ports: LeaseWatchPorts
  #timer: NodeJS.Timeout | null = null
  #suspects: ReadonlySet<string> = new Set()
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #from = 0

  constructor(ports: LeaseWatchPorts) {
    this.#ports = ports
  }

  set(on: boolean): void {
    if (on === (this.#timer !== null)) return
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = on ? setInterval(() => this.look(), everyMs).unref() : null
  }

  look(): void {
    const now = this.#ports.nowMs()
    const late = now - this.#lookedAtMs > lateMs
    this.#lookedAtMs = now
    const leading = this.#ports.leading()
    const known = late ? [] : leading.filter((name) => this.#suspects.has(name))
    const some = this.#some(leading)
    const suspects = [...new Set([...known, ...some])].filter(
      (name) => this.#ports.hasLapsed(name) === true,
    )
    const lapsed = known.filter((name) => suspects.includes(name))
    this.#suspects = new Set(suspects.filter((name) => !lapsed.includes(name)))
    if (lapsed.length > 0) this.#ports.lapsed(new Set(lapsed))
  }

  /** All by turns. */
  #some(leading: readonly string[]): readonly string[] {
    if (this.#from >= leading.length) this.#from = 0
    const some = leading.slice(this.#from, this.#from + perLook)
    this.#from += perLook
    return some
  }
}
