/**
 * What this daemon may put into the kernel, recorded before it can appear there, and the end of what an earlier one left.
 * The record is written by a thread of its own: what is to be put there is claimed first, and waits for the word that it
 * is recorded. A record that cannot be written (a full or hanging file system) delays a claim once and is said; from then
 * on the mark on the addresses has to do.
 */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { identityOfHeld } from '../wire/address-identity.ts'
import { type LinkAddress, vipdProtocol } from '../wire/rtnetlink-address.ts'
import type { Errands } from './errands.ts'
import { describeSetting, type Neighbours } from './link-settings.ts'
import {
  encodeRecord,
  type OwnedAddress,
  type OwnedLink,
  type OwnedObject,
  objectKey,
} from './marks.ts'
import type { Survey } from './survey.ts'
import { describeFound, type Swept, sweep } from './sweep.ts'
import { neighbourSettings, type SweptSettings } from './sweep-settings.ts'
import type { Keeps, Request } from './sweep-types.ts'
import type { InheritedLink } from './virtual-links.ts'

export type OwnershipPorts = {
  readonly runDir: string
  readonly log: Log
  readonly errands: Errands
}

/** What is known only when the daemon runs. */
export type OwnershipUsers = {
  /** Whether the kernel still holds it, and it is ours. */
  holds(object: OwnedAddress | OwnedLink): boolean
  /** Claims that waited may be repeated. */
  onRecorded(): void
}

const surveyMs = 5_000
const writeMs = 2_000
const againMs = { first: 5_000, longest: 60_000 }

/** The claimant: a slot's number, or a part of the daemon by name. */
type Holder = number | string

export class Ownership {
  readonly #ports: OwnershipPorts
  #users: OwnershipUsers = { holds: () => false, onRecorded: () => undefined }
  readonly #wanted = new Map<Holder, readonly OwnedObject[]>()
  /** By key. */
  #recorded: ReadonlyMap<string, OwnedObject> = new Map()
  #recordedAddresses: ReadonlySet<string> = new Set()
  #scope: Survey['scope'] | null = null
  #marks = true
  /** Marked, there before us, and not to be taken. */
  #left: ReadonlySet<string> = new Set()
  #neighbours: readonly string[] = []
  #inherited: readonly InheritedLink[] = []
  #failing: string | null = null
  #failures = 0
  #writing = false
  readonly #waiters: (() => void)[] = []
  #dirty = false
  #again: NodeJS.Timeout | null = null
  #closed = false
  /** The record is still another process's. */
  #held = false

  constructor(ports: OwnershipPorts) {
    this.#ports = ports
  }

  attach(users: OwnershipUsers): void {
    this.#users = users
  }

  /** The run directories of the other vipds that live here. */
  get neighbours(): readonly string[] {
    return this.#neighbours
  }

  /** The links that an earlier daemon made, which stand. */
  get inheritedLinks(): readonly InheritedLink[] {
    return this.#inherited
  }

  /** Looks who else is here and removes what an earlier daemon left, but for what is wanted as it is. Before anything is claimed. */
  async open(request: Request, keeps: Keeps): Promise<void> {
    const { runDir, log, errands } = this.#ports
    try {
      const survey = await errands.run({ kind: 'survey', runDir }, surveyMs)
      this.#scope = survey.scope
      this.#neighbours = survey.neighbours.map((it) => it.runDir)
      this.#take(sweep(survey, request, keeps))
      if (survey.own.kind === 'unusable') {
        log.error(`The record in ${runDir} is unusable, nothing is removed: ${survey.own.why}`)
        await errands.run({ kind: 'set-aside', runDir }, writeMs)
      }
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      log.error(`What an earlier vipd left is not removed: ${error.message}`)
    }
  }

  /** For another process. */
  snapshot() {
    return {
      scope: this.#scope,
      marks: this.#marks,
      left: [...this.#left],
      neighbours: this.#neighbours,
      inherited: this.#inherited,
      recorded: [...this.#recorded.values()],
      failing: this.#failing,
      // Slots have other numbers there: what they hold they claim again.
      wanted: [...this.#wanted].flatMap(([holder, objects]) =>
        typeof holder === 'string' ? [[holder, objects] as const] : [],
      ),
    }
  }

  /** In place of `open`: what another process knows. The record stays that one's until `takeOver`. */
  adopt(before: ReturnType<Ownership['snapshot']>): void {
    this.#held = true
    this.#scope = before.scope
    this.#marks = before.marks
    this.#left = new Set(before.left)
    this.#neighbours = before.neighbours
    this.#inherited = before.inherited
    this.#failing = before.failing
    this.#wanted.clear()
    for (const [holder, objects] of before.wanted) this.#wanted.set(holder, objects)
    this.#setRecorded(new Map(before.recorded.map((it) => [objectKey(it), it])))
  }

  /** The record is this process's from now on, and says so. */
  takeOver(): void {
    this.#held = false
    this.#write()
  }

  /** Whether an address that is new to the kernel's mirror was put there by vipd and is this one's. */
  isOurs(address: LinkAddress): boolean {
    const key = keyOf(address)
    if (this.#marks) return address.protocol === vipdProtocol && !this.#left.has(key)
    return this.#recordedAddresses.has(key)
  }

  /** The mirror has been filled: what appears from now on has appeared beside us. */
  mirrored(): void {
    this.#left = new Set()
  }

  /**
   * What the holder may put into the kernel from now on, instead of what it claimed before. True when the record names
   * it all (or cannot be written); else `onRecorded` follows.
   */
  claim(holder: Holder, objects: readonly OwnedObject[]): boolean {
    const before = this.#wanted.get(holder) ?? []
    if (objects.length === 0) this.#wanted.delete(holder)
    else this.#wanted.set(holder, objects)
    // What has been set back must not be set back once more: another program may have set that value since.
    const released = before.some((it) => it.kind === 'setting') && this.#failing === null
    const recorded = objects.every((it) => this.#recorded.has(objectKey(it)))
    if (recorded && !released) return true
    this.#write()
    return recorded || this.#failing !== null
  }

  /** What the vipds that live beside this one have changed by now. Rejects with OpError. */
  async neighbourSettings(): Promise<readonly Neighbours[]> {
    const { runDir, errands } = this.#ports
    return neighbourSettings(await errands.run({ kind: 'survey', runDir }, surveyMs))
  }

  /** Claims for the holder; resolves when it is recorded, or cannot be. */
  async record(holder: Holder, objects: readonly OwnedObject[]): Promise<void> {
    while (!this.#closed && !this.claim(holder, objects))
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const why = this.#failing
    if (why === null) return []
    return [`what vipd puts into the kernel is not recorded: ${why}`]
  }

  /** Everything has been taken back: what the kernel holds in spite of it stays recorded. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#again !== null) clearTimeout(this.#again)
    const { runDir, errands, log } = this.#ports
    // A setting that is claimed still could not be set back.
    for (const [holder, objects] of this.#wanted)
      this.#wanted.set(
        holder,
        objects.filter((it) => it.kind === 'setting'),
      )
    const left = this.#objects()
    const text = left.size === 0 ? null : this.#text(left)
    try {
      await errands.run({ kind: 'record', runDir, text }, writeMs)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      log.error(`The record in ${runDir} is not removed: ${error.message}`)
    }
  }

  #take({ removed, left, failed, marks, entries, links, settings }: Swept): void {
    const { log } = this.#ports
    this.#marks = marks
    this.#inherited = links.kept
    this.#left = new Set([...left, ...failed].map((it) => keyOf(it.address)))
    for (const it of [...entries.removed, ...removed])
      log.warn(`Removed what an earlier vipd left: ${describeFound(it)}`)
    for (const it of [...entries.left, ...left, ...links.left])
      log.warn(`Left alone: ${describeFound(it)}: ${it.why}`)
    for (const it of [...entries.failed, ...failed, ...links.failed])
      log.error(`Not removed: ${describeFound(it)}: ${it.why}`)
    this.#takeSettings(settings)
  }

  #takeSettings({ restored, left, failed }: SweptSettings): void {
    const { log } = this.#ports
    for (const text of restored) log.warn(`Set back what an earlier vipd had changed: ${text}`)
    for (const { text, why } of left) log.warn(`Not set back: ${text}: ${why}`)
    for (const it of failed) log.error(`Not set back: ${describeSetting(it)}: ${it.why}`)
    if (failed.length > 0) this.#wanted.set('settings of an earlier vipd', failed)
  }

  /** One at a time; what is claimed meanwhile goes into the next. */
  #write(): void {
    this.#dirty = true
    if (this.#writing || this.#closed || this.#held) return
    this.#writing = true
    // What is claimed in this turn goes into the same record.
    setImmediate(() => void this.#writeNow())
  }

  async #writeNow(): Promise<void> {
    const { runDir, errands } = this.#ports
    this.#dirty = false
    const objects = this.#objects()
    try {
      const text = this.#text(objects)
      await errands.run({ kind: 'record', runDir, text }, writeMs)
      this.#succeeded(objects)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#failed(error.message)
    }
    this.#writing = false
    if (this.#closed) return this.#release()
    if (this.#dirty) this.#write()
    this.#release()
    this.#users.onRecorded()
  }

  #release(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  #succeeded(objects: ReadonlyMap<string, OwnedObject>): void {
    this.#setRecorded(objects)
    if (this.#failing !== null) this.#ports.log.info('The record can be written again')
    this.#failing = null
    this.#failures = 0
  }

  #setRecorded(objects: ReadonlyMap<string, OwnedObject>): void {
    this.#recorded = objects
    this.#recordedAddresses = new Set(
      [...objects.values()].flatMap((it) => (it.kind === 'address' ? [keyOf(it)] : [])),
    )
  }

  /** Said once; tried again ever later. */
  #failed(why: string): void {
    const { log, runDir } = this.#ports
    if (this.#failing === null)
      log.error(`What vipd puts into the kernel cannot be recorded in ${runDir}: ${why}`)
    this.#failing = why
    this.#failures += 1
    const laterMs = Math.min(againMs.first * 2 ** (this.#failures - 1), againMs.longest)
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = setTimeout(() => this.#write(), laterMs)
    this.#again.unref()
  }

  /** What is claimed, and what was and is still there. */
  #objects(): ReadonlyMap<string, OwnedObject> {
    const still = [...this.#recorded.values()].filter(
      (it) => (it.kind === 'address' || it.kind === 'link') && this.#users.holds(it),
    )
    const all = [...still, ...[...this.#wanted.values()].flat()]
    return new Map(all.map((it) => [objectKey(it), it]))
  }

  #text(objects: ReadonlyMap<string, OwnedObject>): string {
    const scope = this.#scope ?? { bootId: '', netns: '' }
    return encodeRecord({ scope, pid: process.pid, objects: [...objects.values()] })
  }
}

type Held = Pick<LinkAddress, 'ifindex' | 'address' | 'prefixLength' | 'peer'>
const keyOf = (held: Held): string => `${held.ifindex} ${identityOfHeld(held)}`
