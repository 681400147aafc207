/**
 * Settings of the links that instances are on (net.ipv4.conf.IFACE.*), changed for as long as an instance needs them and
 * set back afterwards. What a setting was is recorded before it is changed. All work is done in passes, one after the
 * other; each reads the links anew, because the kernel does not notify a change through /proc/sys.
 */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Link } from '../wire/rtnetlink-link.ts'
import { encodeIpv4Settings, encodeLinkGet } from '../wire/rtnetlink-settings.ts'
import {
  describeSetting,
  isSame,
  linkIn,
  type Neighbours,
  restoration,
  serves,
  type WantedSetting,
} from './link-settings.ts'
import type { ChangedSetting } from './marks.ts'
import type { Kernel } from './mirror.ts'

export type SettingsPorts = {
  readonly log: Log
  readonly kernel: Pick<Kernel, 'linkByName' | 'settingsOf'>
  /** One rtnetlink request. Rejects with OpError. */
  request(bytes: Uint8Array): Promise<Uint8Array>
  /** Resolves when the record names these and no others, or cannot be written. */
  record(settings: readonly ChangedSetting[]): Promise<void>
  /** What the vipds beside this one have recorded. Rejects with OpError. */
  neighbours(): Promise<readonly Neighbours[]>
}

/** `applied`: the kernel has taken it. */
export type Held = ChangedSetting & { readonly applied: boolean }

/** How often a setting that another program changes is set again: so many times in so long. */
const contest = { times: 5, withinMs: 60_000 }
/** A change through /proc/sys is seen within so long, and what failed is tried again. */
const everyMs = 10_000

export class SettingsKeeper {
  readonly #ports: SettingsPorts
  #wanted: readonly WantedSetting[] = []
  #held: readonly Held[] = []
  readonly #failing = new Map<string, string>()
  /** When others changed it, by setting. */
  readonly #contested = new Map<string, number[]>()
  #running: Promise<void> | null = null
  #again = false
  #timer: NodeJS.Timeout | null = null
  #left = false

  constructor(ports: SettingsPorts) {
    this.#ports = ports
  }

  /** These are needed from now on, and no others. */
  set(wanted: readonly WantedSetting[]): void {
    this.#wanted = wanted
    this.#pass()
  }

  /** For another process; null: not before the pass that is under way is over. */
  snapshot(): readonly Held[] | null {
    return this.#running === null ? this.#held : null
  }

  /** What another process has set. */
  adopt(held: readonly Held[]): void {
    this.#held = held
  }

  /** They are another process's from now on. */
  leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#left = true
  }

  /** Links, or their settings, may have changed. */
  look(): void {
    if (!this.#isSettled()) this.#pass()
  }

  /** When what was wanted last has been tried, or the time has passed. */
  async settled(timeoutMs: number): Promise<void> {
    const over = new Promise<void>((resolve) => {
      setTimeout(resolve, timeoutMs).unref()
    })
    await Promise.race([this.#running, over])
  }

  /** Sets back what it can within the time. What is not set back stays recorded. */
  async close(timeoutMs: number): Promise<void> {
    this.set([])
    await this.settled(timeoutMs)
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    return [...this.#failing].map(([what, why]) => `${what} is not set: ${why}`)
  }

  /** As far as the mirror knows. */
  #isSettled(): boolean {
    const { kernel } = this.#ports
    const targets = this.#targets()
    return (
      targets.every((it) => this.#held.some((held) => isSame(held, it))) &&
      this.#held.every(
        (held) =>
          targets.some((it) => isSame(held, it)) &&
          kernel.settingsOf(held.ifindex)?.[held.name] === held.ours,
      )
    )
  }

  /** Each once, however many instances need it. */
  #targets(): readonly (WantedSetting & { readonly ifindex: number })[] {
    const { kernel } = this.#ports
    const all = new Map(
      this.#wanted.flatMap((wanted) => {
        const ifindex = kernel.linkByName(wanted.interface)?.ifindex
        if (ifindex === undefined) return []
        return [[`${ifindex} ${wanted.name}`, { ...wanted, ifindex }] as const]
      }),
    )
    return [...all.values()]
  }

  #pass(): void {
    if (this.#left) return
    this.#again = true
    this.#running ??= this.#passes()
  }

  async #passes(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    while (this.#again) {
      this.#again = false
      try {
        await this.#once()
      } catch (error) {
        if (!(error instanceof OpError)) throw error
        this.#fail('settings of interfaces', error)
      }
    }
    this.#running = null
    const idle = this.#wanted.length + this.#held.length === 0
    this.#timer = idle ? null : setTimeout(() => this.#pass(), everyMs)
    this.#timer?.unref()
  }

  async #once(): Promise<void> {
    const targets = this.#targets()
    const released = this.#held.filter((held) => !targets.some((it) => isSame(held, it)))
    const links = await this.#read([...targets, ...released])
    const needed = targets.flatMap((it) => {
      const found = links.get(it.ifindex)
      const value = found?.ipv4?.[it.name]
      return value === undefined ? [] : [{ ...it, found: value }]
    })
    const heirs = needed.some((it) => this.#mayBeOfAnother(it)) ? await this.#neighbours() : []
    const kept = needed.map((it) => this.#keep(it, heirs))
    this.#held = [...kept, ...released.map((it) => ({ ...it, releasing: true }))]
    await this.#record()
    for (const it of kept) await this.#apply(it)
    if (released.length > 0) await this.#release(links)
    this.#failing.delete('settings of interfaces')
  }

  /** null: the link has gone. */
  async #read(of: readonly { ifindex: number }[]): Promise<ReadonlyMap<number, Link | null>> {
    const links = new Map<number, Link | null>()
    for (const { ifindex } of of)
      if (!links.has(ifindex)) links.set(ifindex, await this.#readLink(ifindex))
    return links
  }

  async #readLink(ifindex: number): Promise<Link | null> {
    try {
      return linkIn(await this.#ports.request(encodeLinkGet(ifindex)))
    } catch (error) {
      if (error instanceof OpError && error.code === 'ENODEV') return null
      throw error
    }
  }

  /** It is new to us and as we would set it: by the operator, or by another vipd, which knows what it was. */
  #mayBeOfAnother(it: WantedSetting & { ifindex: number; found: number }): boolean {
    return serves(it, it.found) && !this.#held.some((held) => isSame(held, it))
  }

  async #neighbours(): Promise<readonly Neighbours[]> {
    try {
      return await this.#ports.neighbours()
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#ports.log.warn(`What other vipds have set is not known: ${error.message}`)
      return []
    }
  }

  #keep(
    it: WantedSetting & { readonly ifindex: number; readonly found: number },
    heirs: readonly Neighbours[],
  ): Held {
    const { ifindex, name, found } = it
    const before = this.#held.find((held) => isSame(held, it))
    const applied = serves(it, found)
    const ours = applied ? found : it.value
    const base = { kind: 'setting', interface: it.interface, ifindex, name, ours } as const
    const held = (original: number): Held => ({ ...base, original, releasing: false, applied })
    if (before === undefined) {
      const known = heirs.flatMap(({ settings }) => settings.filter((other) => isSame(other, it)))
      return held(known.find((other) => other.ours === found)?.original ?? found)
    }
    if (before.ours === found) return held(before.original)
    if (before.applied) this.#contest(before, found)
    return held(found)
  }

  /** What another program has set is what it wants; it is set back to that. */
  #contest(held: Held, found: number): void {
    const key = describeSetting(held)
    const times = [...(this.#contested.get(key) ?? []), performance.now()].slice(-contest.times)
    this.#contested.set(key, times)
    this.#ports.log.warn(`${key} was changed from ${held.ours} to ${found} by another program`)
  }

  #isContested(held: Held): boolean {
    const times = this.#contested.get(describeSetting(held)) ?? []
    const [first = 0] = times
    return times.length >= contest.times && performance.now() - first < contest.withinMs
  }

  async #apply(held: Held): Promise<void> {
    const { log, request } = this.#ports
    const key = describeSetting(held)
    if (held.applied) return void this.#failing.delete(key)
    if (this.#isContested(held)) {
      const code = `${contest.times} times within ${contest.withinMs / 1_000} s`
      return this.#fail(key, new OpError('another program changes it', code, ''))
    }
    try {
      await request(encodeIpv4Settings(held.ifindex, { [held.name]: held.ours }))
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      return this.#fail(key, error)
    }
    this.#failing.delete(key)
    this.#held = this.#held.map((it) => (isSame(it, held) ? { ...it, applied: true } : it))
    log.info(`${key} is ${held.ours} from now on, and ${held.original} again afterwards`)
  }

  /** Said once; the next pass tries again. */
  #fail(key: string, error: OpError): void {
    if (this.#failing.get(key) === error.message) return
    this.#failing.set(key, error.message)
    this.#ports.log.error(`${key} is not set: ${error.message}`)
  }

  async #release(links: ReadonlyMap<number, Link | null>): Promise<void> {
    const { log, request } = this.#ports
    const others = await this.#neighbours()
    for (const held of this.#held.filter(({ releasing }) => releasing)) {
      const key = describeSetting(held)
      const found = restoration(held, links.get(held.ifindex) ?? null, others)
      if (found.kind === 'left') log.info(`${key} is not set back: ${found.why}`)
      try {
        if (found.kind === 'set') await request(found.request)
      } catch (error) {
        if (!(error instanceof OpError)) throw error
        this.#fail(key, error)
        continue
      }
      if (found.kind === 'set') log.info(`${key} is ${held.original} again`)
      this.#failing.delete(key)
      this.#contested.delete(key)
      this.#held = this.#held.filter((it) => !isSame(it, held))
    }
    await this.#record()
  }

  async #record(): Promise<void> {
    await this.#ports.record(
      this.#held.flatMap(({ applied: _, ...it }) => (it.ours === it.original ? [] : [it])),
    )
  }
}
