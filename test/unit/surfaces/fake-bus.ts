/** A bus that a test plays: it answers as a real one does, or misbehaves as it is told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DbusFrames } from '../../../src/wire/dbus-frames.ts'
import {
  type DbusMessage,
  type DbusOutgoing,
  dbusLengths,
  decodeDbusMessage,
  encodeDbusMessage,
} from '../../../src/wire/dbus-message.ts'
import type { DbusValue } from '../../../src/wire/dbus-values.ts'

type Behaviour = {
  /** What comes instead of OK. */
  readonly greeting?: string
  /** Methods of the bus that are never answered. */
  readonly mute?: readonly string[]
  /** Of RequestName: 1 owner, 2 in the queue. */
  readonly claim?: number
  /** Refuses the name by its policy. */
  readonly denies?: boolean
  /** The user of every caller. */
  readonly uid?: number
}

const busName = 'org.freedesktop.DBus'

export class FakeBus {
  behaviour: Behaviour = {}
  /** All that was sent to it or through it. */
  readonly heard: DbusMessage[] = []
  connections = 0
  readonly #dir = mkdtempSync(join(tmpdir(), 'vipd-bus-'))
  readonly path = join(this.#dir, 'bus')
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  #serial = 0

  get address(): string {
    return `unix:path=${this.path}`
  }

  open(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket))
    this.#server = server
    return new Promise((resolve) => server.listen(this.path, resolve))
  }

  /** As a bus that is killed. */
  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const server = this.#server
    this.#server = null
    await new Promise<void>((resolve) => {
      if (server === null) resolve()
      else server.close(() => resolve())
    })
  }

  async close(): Promise<void> {
    await this.end()
    rmSync(this.#dir, { recursive: true })
  }

  /** From the bus, or through it from another process. */
  send(message: Omit<DbusOutgoing, 'serial'> & { readonly sender?: string }): void {
    this.#serial += 1
    const octets = encodeDbusMessage({ ...message, serial: this.#serial })
    if (octets === null) throw new Error('that is no message')
    for (const socket of this.#sockets) socket.write(withSender(octets, message.sender ?? busName))
  }

  sendOctets(octets: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(octets)
  }

  /** Signals of keepalived's interfaces, as `MEMBER CODE`. */
  get signals(): readonly string[] {
    return this.heard.flatMap(({ kind, interface: of, member, body }) =>
      kind === 'signal' && of?.startsWith('org.keepalived') === true
        ? [[member, ...(body ?? [])].join(' ')]
        : [],
    )
  }

  #serve(socket: Socket): void {
    this.connections += 1
    this.#sockets.add(socket)
    const frames = new DbusFrames()
    let text: string | null = ''
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk) => {
      if (text === null) return this.#frames(socket, frames, chunk)
      text += chunk.toString('latin1')
      const begun = text.indexOf('BEGIN\r\n')
      const { greeting } = this.behaviour
      if (begun >= 0) {
        const rest = Buffer.from(text.slice(begun + 7), 'latin1')
        text = null
        this.#frames(socket, frames, rest)
      } else if (greeting !== undefined) socket.write(greeting)
      else if (text.endsWith('DATA\r\n')) socket.write('OK 0123456789abcdef\r\n')
      else if (text.endsWith('EXTERNAL\r\n')) socket.write('DATA\r\n')
    })
  }

  #frames(socket: Socket, frames: DbusFrames, chunk: Uint8Array): void {
    for (const frame of frames.push(chunk) ?? []) {
      const decoded = decodeDbusMessage(frame)
      if (!decoded.ok) continue
      const message = decoded.value
      this.heard.push(message)
      if (message.kind === 'call' && message.destination === busName) this.#answer(socket, message)
    }
  }

  #answer(socket: Socket, { member, serial }: DbusMessage): void {
    const { mute = [], claim = 1, denies = false, uid = 0 } = this.behaviour
    if (mute.includes(member ?? '')) return
    const answers: Readonly<Record<string, readonly [string, DbusValue]>> = {
      Hello: ['s', ':1.7'],
      RequestName: ['u', claim],
      GetConnectionUnixUser: ['u', uid],
      GetConnectionUnixProcessID: ['u', 4711],
    }
    const [signature, value] = answers[member ?? ''] ?? ['', '']
    this.#serial += 1
    const to = { serial: this.#serial, replySerial: serial, destination: ':1.7' }
    const denied: DbusOutgoing = {
      ...{ kind: 'error', ...to, errorName: `${busName}.Error.AccessDenied` },
      ...{ signature: 's', body: ['Connection is not allowed to own the service'] },
    }
    const body = signature === '' ? [] : [value]
    const answer: DbusOutgoing = { kind: 'return', ...to, signature, body }
    const octets = encodeDbusMessage(denies && member === 'RequestName' ? denied : answer)
    if (octets !== null) socket.write(octets)
  }
}

/** The bus writes who has sent a message; our own encoder leaves that to it. */
function withSender(octets: Uint8Array, sender: string): Uint8Array {
  const lengths = dbusLengths(octets)
  if (lengths === null) throw new Error('that is no message')
  const [head, body] = [octets.subarray(0, lengths.head), octets.subarray(lengths.head)]
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const fields = head.subarray(0, 16 + view.getUint32(12, true))
  const name = new TextEncoder().encode(sender)
  const pad = (length: number) => Buffer.alloc((8 - (length % 8)) % 8)
  const text = Buffer.alloc(8 + name.length + 1)
  text.set([7, 1, 0x73, 0])
  text.writeUInt32LE(name.length, 4)
  text.set(name, 8)
  const whole = Buffer.concat([fields, pad(fields.length), text])
  whole.writeUInt32LE(whole.length - 16, 12)
  return Buffer.concat([whole, pad(whole.length), body])
}
