/** What a call is answered: by the object, the interface and the method that it names. */
import type { DbusMessage } from '../../wire/dbus-message.ts'
import type { DbusValue } from '../../wire/dbus-values.ts'
import {
  type Interface,
  instance as instanceInterface,
  introspectable,
  type Method,
  peer,
  properties,
  signatureOf,
  standard,
  vrrp,
} from './interfaces.ts'
import { introspectionXml } from './introspection.ts'
import type { Order } from './messages.ts'
import { codeOf, type InstanceObject, type Objects, wordOf } from './objects.ts'

export type Answer =
  | { readonly kind: 'values'; readonly signature: string; readonly body: readonly DbusValue[] }
  | { readonly kind: 'order'; readonly order: Order }

/** `errorName`: the last part of one of org.freedesktop.DBus.Error. */
export class Refusal extends Error {
  readonly errorName: string

  constructor(errorName: string, message: string) {
    super(message)
    this.name = 'Refusal'
    this.errorName = errorName
  }
}

const values = (signature: string, ...body: DbusValue[]): Answer => ({
  kind: 'values',
  signature,
  body,
})
const nothing = values('')

export type Known = {
  readonly objects: Objects
  /** The deciding part of the daemon answers: what is known of it holds. */
  readonly current: boolean
  /** null: this host has none. */
  readonly machineId: string | null
}

/** Throws Refusal. The words are GDBus's, which keepalived has. */
export function answerTo(call: DbusMessage, known: Known): Answer {
  const path = call.path ?? '/'
  // A peer is asked whatever the path, and nothing is below a path that is not there.
  if (call.interface === peer.name) return peerAnswer(call, known)
  const children = known.objects.below(path)
  if (children === null && call.interface === introspectable.name) return emptyNode(call)
  if (children === null)
    throw new Refusal('UnknownMethod', `Object does not exist at path “${path}”`)
  const interfaces = interfacesAt(path, known.objects)
  const [on, method] = methodOf(call, interfaces)
  const args = argumentsOf(call, method)
  const it = known.objects.at(path)
  switch (on) {
    case introspectable:
      return values('s', introspectionXml(interfaces, children))
    case peer:
      return peerAnswer(call, known)
    case properties:
      return propertyAnswer(method.name, args, interfaces, it, known)
    default:
      return { kind: 'order', order: orderOf(method.name, it) }
  }
}

function emptyNode(call: DbusMessage): Answer {
  const [, method] = methodOf(call, [introspectable])
  argumentsOf(call, method)
  return values('s', introspectionXml([], []))
}

function interfacesAt(path: string, objects: Objects): readonly Interface[] {
  if (path === objects.vrrpPath) return [...standard, vrrp]
  // A path that only leads to objects can be asked what is below it.
  return objects.at(path) === null ? [introspectable, peer] : [...standard, instanceInterface]
}

function methodOf(call: DbusMessage, interfaces: readonly Interface[]): [Interface, Method] {
  const { interface: wanted, member, path } = call
  const candidates = interfaces.filter(({ name }) => wanted === null || name === wanted)
  if (candidates.length === 0)
    throw new Refusal('UnknownMethod', `No such interface “${wanted}” on object at path ${path}`)
  for (const it of candidates) {
    const method = it.methods.find(({ name }) => name === member)
    if (method !== undefined) return [it, method]
  }
  throw new Refusal('UnknownMethod', `No such method “${member}”`)
}

function argumentsOf(call: DbusMessage, { takes }: Method): readonly DbusValue[] {
  const wanted = signatureOf(takes)
  if (call.signature !== wanted)
    throw new Refusal(
      'InvalidArgs',
      `Type of message, “(${call.signature})”, does not match expected type “(${wanted})”`,
    )
  if (call.body === null) throw new Refusal('LimitsExceeded', 'the arguments are too large')
  return call.body
}

function peerAnswer(call: DbusMessage, { machineId }: Known): Answer {
  const [, method] = methodOf(call, [peer])
  argumentsOf(call, method)
  if (method.name === 'Ping') return nothing
  if (machineId === null) throw new Refusal('Failed', 'this host has no machine id')
  return values('s', machineId)
}

function propertyAnswer(
  method: string,
  args: readonly DbusValue[],
  interfaces: readonly Interface[],
  it: InstanceObject | null,
  { current }: Known,
): Answer {
  const [of, property] = args
  const on = interfaces.find(({ name }) => name === of)
  if (on === undefined) throw new Refusal('InvalidArgs', `No such interface “${String(of)}”`)
  if (method !== 'GetAll' && !on.properties.some(({ name }) => name === property))
    throw new Refusal('InvalidArgs', `No such property “${String(property)}”`)
  if (method === 'Set')
    throw new Refusal('InvalidArgs', `Property “${String(property)}” is not writable`)
  if (!current)
    throw new Refusal('Failed', 'the deciding part of the daemon does not answer: see vipd status')
  const all = it === null || on !== instanceInterface ? [] : instanceProperties(it)
  if (method === 'GetAll') return values('a{sv}', all)
  const found = all.find(([name]) => name === property)
  if (found === undefined)
    throw new Refusal('InvalidArgs', `No such property “${String(property)}”`)
  return values('v', found[1])
}

export const instanceProperties = (it: InstanceObject): (readonly [string, DbusValue])[] => [
  ['Name', { signature: '(s)', value: [it.name] }],
  ['State', stateProperty(it)],
]

export const stateProperty = (it: InstanceObject): DbusValue => ({
  signature: '(us)',
  value: [codeOf(it), wordOf(it)],
})

function orderOf(method: string, it: InstanceObject | null): Order {
  if (it !== null) return { verb: 'announce', instance: it.name }
  switch (method) {
    case 'ReloadConfig':
      return { verb: 'reload' }
    case 'PrintData':
      return { verb: 'dump', what: 'data' }
    case 'PrintStats':
      return { verb: 'dump', what: 'stats' }
    default:
      return { verb: 'dump', what: 'clear' }
  }
}
