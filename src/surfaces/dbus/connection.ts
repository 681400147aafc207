/**
 * One connection to a bus: octets to messages, calls to their answers, each within its time. That it is lost is told once,
 * and nothing is heard of it afterwards.
 */
import { connect, type Socket } from 'node:net'
import { textOf } from '../../base/errors.ts'
import { DbusFrames } from '../../wire/dbus-frames.ts'
import {
  type DbusMessage,
  type DbusOutgoing,
  decodeDbusMessage,
  encodeDbusMessage,
} from '../../wire/dbus-message.ts'
import type { DbusValue } from '../../wire/dbus-values.ts'
import { Handshake } from './handshake.ts'

export type BusCall = {
  readonly member: string
  readonly interface?: string
  readonly signature?: string
  readonly body?: readonly DbusValue[]
}

export type ConnectionEvents = {
  /** Calls and signals. */
  onMessage(message: DbusMessage): void
  /** `why`: a sentence without its subject, for the log. */
  onLost(why: string): void
}

/** An error that the bus, or the other end, has answered. */
export class DbusError extends Error {
  readonly errorName: string

  constructor(errorName: string, message: string) {
    super(message)
    this.name = 'DbusError'
    this.errorName = errorName
  }
}

/** What the bus has not read yet: thousands of signals. */
const unreadBytesMax = 4 * 1024 * 1024
const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' } as const

type Waiting = { resolve(message: DbusMessage): void; reject(error: Error): void }

export class BusConnection {
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  readonly #frames = new DbusFrames()
  readonly #calls = new Map<number, Waiting>()
  #handshake: Handshake | null = new Handshake()
  #ready: () => void = () => undefined
  #serial = 0
  #over = false

  /** `path`: for `connect` of node:net. Nothing happens before `open`. */
  constructor(path: string, events: ConnectionEvents) {
    this.#events = events
    this.#socket = connect(path)
    this.#socket.on('connect', () => this.#socket.write(Handshake.opening))
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', (error) => this.lose(textOf(error)))
    this.#socket.on('close', () => this.lose('the bus has closed the connection'))
  }

  /** Resolves when messages can be sent. Never, when it is lost before. */
  readonly opened = new Promise<void>((resolve) => {
    this.#ready = resolve
  })

  /** Of the bus itself. Rejects with DbusError, or the reason why there is no answer. */
  call({ interface: of = 'org.freedesktop.DBus', ...rest }: BusCall, ms: number) {
    const serial = this.#nextSerial()
    return new Promise<DbusMessage>((resolve, reject) => {
      const over = () => {
        clearTimeout(timer)
        this.#calls.delete(serial)
      }
      const timer = setTimeout(() => {
        over()
        reject(new Error(`the bus has not answered within ${ms / 1_000} s`))
      }, ms)
      this.#calls.set(serial, {
        resolve: (message) => {
          over()
          resolve(message)
        },
        reject: (error) => {
          over()
          reject(error)
        },
      })
      this.#write({ kind: 'call', serial, ...bus, interface: of, ...rest })
    })
  }

  /** False: a value does not belong to its type, and nothing was sent. */
  send(message: Omit<DbusOutgoing, 'serial'>): boolean {
    return this.#write({ ...message, serial: this.#nextSerial() })
  }

  /** Once what has been sent is with the bus, or the time is over. Nothing is reported. */
  async close(ms: number): Promise<void> {
    const socket = this.#socket
    if (!this.#end('the connection was closed')) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      socket.end(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    socket.destroy()
  }

  /** Gives it up. */
  lose(why: string): void {
    if (!this.#end(why)) return
    this.#socket.destroy()
    this.#events.onLost(why)
  }

  #end(why: string): boolean {
    if (this.#over) return false
    this.#over = true
    for (const { reject } of [...this.#calls.values()]) reject(new Error(why))
    return true
  }

  #nextSerial(): number {
    this.#serial = (this.#serial % 0xffff_ffff) + 1
    return this.#serial
  }

  #write(message: DbusOutgoing): boolean {
    const octets = encodeDbusMessage(message)
    if (octets === null) return false
    if (this.#over) return true
    this.#socket.write(octets)
    if (this.#socket.writableLength > unreadBytesMax)
      this.lose('the bus does not read what it is sent')
    return true
  }

  #take(chunk: Uint8Array): void {
    if (this.#over) return
    const octets = this.#handshake === null ? chunk : this.#shake(this.#handshake, chunk)
    if (octets === null) return
    const frames = this.#frames.push(octets)
    if (frames === null) return this.lose('the bus has sent what is no message')
    for (const frame of frames) {
      if (this.#over) return
      const decoded = decodeDbusMessage(frame)
      // Any process may have sent it: one that makes no sense is nothing to end the connection for.
      if (decoded.ok) this.#dispatch(decoded.value)
    }
  }

  /** What follows it; null: it is not over. */
  #shake(handshake: Handshake, chunk: Uint8Array): Uint8Array | null {
    const step = handshake.push(chunk)
    if (step.kind === 'refused') this.lose(step.why)
    if (step.kind === 'send' || step.kind === 'done') this.#socket.write(step.text)
    if (step.kind !== 'done') return null
    this.#handshake = null
    this.#ready()
    return step.rest
  }

  #dispatch(message: DbusMessage): void {
    const { kind, replySerial, errorName, body } = message
    if (kind === 'call' || kind === 'signal') return this.#events.onMessage(message)
    const waiting = this.#calls.get(replySerial ?? 0)
    if (waiting === undefined) return
    if (kind === 'return') return waiting.resolve(message)
    const [text] = body ?? []
    waiting.reject(
      new DbusError(errorName ?? '', typeof text === 'string' ? text : (errorName ?? '')),
    )
  }
}
