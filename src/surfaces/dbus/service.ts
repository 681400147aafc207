/**
 * On the bus for the daemon: knows its instances from a status and the transitions since, tells what becomes of them, and
 * answers those who ask. What is to be done goes to the daemon, ordered by root or the daemon's own user alone.
 */
import { readFileSync } from 'node:fs'
import { textOf } from '../../base/errors.ts'
import type { Removal } from '../../report/event.ts'
import type { DbusMessage } from '../../wire/dbus-message.ts'
import { Snapshots } from '../feed/snapshots.ts'
import { answerTo, Refusal, stateProperty } from './answers.ts'
import type { BusConnection } from './connection.ts'
import { instance as instanceInterface, properties, vrrp } from './interfaces.ts'
import { BusMember, type MemberTimes, usualTimes } from './membership.ts'
import type { DbusConfig, FromDbus, Order, Outcome, ToDbus } from './messages.ts'
import { codeOf, type InstanceObject, Objects } from './objects.ts'

/** What is not told at once is seen then: a status so often, even if nothing happens. */
const lookMs = 30_000
/** The daemon could not give a status: it starts. */
const retryMs = 1_000
/** The main thread is heard once a second; silent for longer, it stands. */
const silentMs = 5_000
/** A reload may read files for so long. */
const orderMs = 65_000
/** Orders that are being carried out; more are refused. */
const ordersMax = 16
const callerMs = 5_000
const errorPrefix = 'org.freedesktop.DBus.Error.'

export class DbusService {
  readonly #post: (message: FromDbus) => void
  readonly #times: MemberTimes
  readonly #snapshots = new Snapshots(() => this.#post({ kind: 'want' }))
  readonly #orders = new Map<number, (outcome: Outcome) => void>()
  readonly #look: NodeJS.Timeout
  readonly #machineId = machineId()
  #config: DbusConfig | null = null
  #objects: Objects | null = null
  #member: BusMember | null = null
  /** State of each path, as the bus was told last. */
  readonly #told = new Map<string, number>()
  #started = false
  /** Statuses with a greater number know of the reload that is to be told; null: none is. */
  #reloadedAfter: number | null = null
  /** Instances that a reload takes out, until it is told. */
  readonly #removed = new Map<string, Removal>()
  #hidden = ''
  #heardAt = performance.now()
  #lastOrder = 0

  constructor(post: (message: FromDbus) => void, times = usualTimes) {
    this.#post = post
    this.#times = times
    this.#look = setInterval(() => this.#post({ kind: 'want' }), lookMs)
  }

  take(message: Exclude<ToDbus, { kind: 'stop' }>): void {
    this.#heardAt = performance.now()
    switch (message.kind) {
      case 'ping':
        return this.#post({ kind: 'pong' })
      case 'serve':
        this.#started = message.started
        return this.#serve(message.config)
      case 'transition':
        return this.#transition(message)
      case 'reloaded':
        this.#reloadedAfter = message.after
        return this.#post({ kind: 'want' })
      case 'done':
        this.#orders.get(message.id)?.(message.outcome)
        return
      case 'no-status':
        setTimeout(() => this.#post({ kind: 'want' }), retryMs)
        return
      default:
        if (this.#snapshots.take(message)) this.#settle(message.number)
    }
  }

  /** `stopping`: the daemon ends, which is told. */
  async close(stopping: boolean): Promise<void> {
    clearInterval(this.#look)
    const connection = this.#member?.connection ?? null
    if (stopping && connection !== null) this.#tellOfVrrp(connection, 'VrrpStopped')
    await this.#member?.stop()
    this.#member = null
  }

  /** Once it is known what is to be served, the bus is told a name. */
  #serve(config: DbusConfig): void {
    this.#config = config
    void this.#member?.stop()
    this.#member = null
    this.#told.clear()
    if (this.#objects === null) this.#post({ kind: 'want' })
    else this.#settle(null)
  }

  /** A status has come, or another configuration of this surface. */
  #settle(number: number | null): void {
    const { last } = this.#snapshots
    if (this.#config === null || last === null) return
    const reloaded = number !== null && this.#reloadedAfter !== null && number > this.#reloadedAfter
    if (reloaded) this.#removed.clear()
    const objects = new Objects(last.status.instances, this.#config, this.#removed)
    this.#objects = objects
    for (const path of this.#told.keys()) if (objects.at(path) === null) this.#told.delete(path)
    this.#sayHidden(objects.hidden)
    if (this.#member === null) return this.#join(this.#config)
    const { connection } = this.#member
    if (connection !== null) this.#tellAll(connection)
    if (!reloaded) return
    this.#reloadedAfter = null
    if (connection !== null) this.#tellOfVrrp(connection, 'VrrpReloaded')
  }

  #sayHidden(hidden: readonly string[]): void {
    const names = hidden.join(', ')
    if (names !== this.#hidden && names !== '')
      this.#say('warn', `D-Bus: another instance has the object path of ${names} already`)
    this.#hidden = names
  }

  #join({ address, name }: DbusConfig): void {
    const events = {
      onOwned: (connection: BusConnection) => this.#owned(connection),
      onCall: (call: DbusMessage, on: BusConnection) => void this.#call(call, on),
      onState: (why: string | null) => this.#state(why, name, address),
    }
    this.#member = new BusMember(address, name, events, this.#times)
  }

  #state(why: string | null, name: string, address: string): void {
    const unserved = why === null ? null : `D-Bus: ${name} is not served at ${address}: ${why}`
    if (unserved === null) this.#say('info', `D-Bus: served as ${name} at ${address}`)
    else this.#say('warn', `${unserved}; tried again`)
    this.#post({ kind: 'unserved', why: unserved })
  }

  #owned(connection: BusConnection): void {
    if (!this.#started) {
      this.#started = true
      this.#tellOfVrrp(connection, 'VrrpStarted')
      this.#post({ kind: 'started' })
    }
    this.#tellAll(connection)
  }

  #transition({ what, removal }: Extract<ToDbus, { kind: 'transition' }>): void {
    this.#snapshots.apply(what)
    // Another one of the same name: its path may be another one too.
    const isNew = removal === null && this.#removed.has(what.instance)
    if (removal !== null) this.#removed.set(what.instance, removal)
    const it = isNew ? null : (this.#objects?.apply(what, removal) ?? null)
    const connection = this.#member?.connection ?? null
    // One that is not known yet is in the next status.
    if (it === null) this.#post({ kind: 'want' })
    else if (connection !== null) this.#tell(connection, it)
  }

  /** What is not as the bus was told. */
  #tellAll(connection: BusConnection): void {
    for (const it of this.#objects?.instances ?? [])
      if (this.#told.get(it.path) !== codeOf(it)) this.#tell(connection, it)
  }

  #tell(connection: BusConnection, it: InstanceObject): void {
    this.#told.set(it.path, codeOf(it))
    connection.send({
      ...{ kind: 'signal', path: it.path, interface: instanceInterface.name },
      ...{ member: 'VrrpStatusChange', signature: 'u', body: [codeOf(it)] },
    })
    const changed = [['State', stateProperty(it)]]
    connection.send({
      ...{ kind: 'signal', path: it.path, interface: properties.name },
      ...{ member: 'PropertiesChanged', signature: 'sa{sv}as' },
      body: [instanceInterface.name, changed, []],
    })
  }

  #tellOfVrrp(connection: BusConnection, member: string): void {
    if (this.#objects === null) return
    const { vrrpPath: path } = this.#objects
    connection.send({ kind: 'signal', path, interface: vrrp.name, member })
  }

  async #call(call: DbusMessage, connection: BusConnection): Promise<void> {
    const to = { destination: call.sender, replySerial: call.serial }
    try {
      const { signature, body } = await this.#answer(call, connection)
      if (!call.noReply) connection.send({ kind: 'return', ...to, signature, body })
    } catch (error) {
      const errorName = `${errorPrefix}${error instanceof Refusal ? error.errorName : 'Failed'}`
      const body = [textOf(error).replaceAll('\0', '')]
      if (!call.noReply) connection.send({ kind: 'error', ...to, errorName, signature: 's', body })
    }
  }

  async #answer(call: DbusMessage, connection: BusConnection) {
    const { objects: known } = this.#known()
    const current = performance.now() - this.#heardAt < silentMs
    const answer = answerTo(call, { objects: known, current, machineId: this.#machineId })
    if (answer.kind === 'values') return answer
    const by = await this.#caller(call.sender ?? '', connection)
    const outcome = await this.#order(answer.order, call.member ?? '', by)
    if (!outcome.ok) throw new Refusal('Failed', outcome.why)
    return { signature: '', body: [] }
  }

  #known(): { objects: Objects } {
    if (this.#objects === null) throw new Refusal('Failed', 'the daemon is still starting')
    return { objects: this.#objects }
  }

  /** For the log. The policy of the bus may let others through; who may order is not left to it. */
  async #caller(sender: string, connection: BusConnection): Promise<string> {
    const call = { member: 'GetConnectionUnixUser', signature: 's', body: [sender] }
    const { body } = await connection.call(call, callerMs)
    const uid = body?.[0]
    if (uid !== 0 && uid !== process.geteuid?.())
      throw new Refusal('AccessDenied', 'only root and the daemon’s own user may order this')
    return `uid ${uid} (${sender})`
  }

  #order(order: Order, member: string, by: string): Promise<Outcome> {
    if (this.#orders.size >= ordersMax)
      throw new Refusal('LimitsExceeded', 'earlier orders are not carried out yet')
    const id = ++this.#lastOrder
    return new Promise((resolve) => {
      const done = (outcome: Outcome) => {
        clearTimeout(timer)
        this.#orders.delete(id)
        resolve(outcome)
      }
      const why = `the daemon has not answered within ${orderMs / 1_000} s`
      const timer = setTimeout(done, orderMs, { ok: false, why } satisfies Outcome)
      this.#orders.set(id, done)
      this.#post({ kind: 'order', id, order, member, by })
    })
  }

  #say(level: 'info' | 'warn', text: string): void {
    this.#post({ kind: 'say', level, text })
  }
}

/** As dbus-daemon and systemd keep it; null: neither does. */
function machineId(): string | null {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id'])
    try {
      const [id] = /^[0-9a-f]{32}/.exec(readFileSync(path, 'utf8')) ?? []
      if (id !== undefined) return id
    } catch {
      // Not there.
    }
  return null
}
