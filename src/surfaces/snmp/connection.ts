/**
 * One session with the master agent, from the connection to its end: opened, its subtrees registered, requests answered,
 * notifications sent one after the other. It ends once, with a reason; the next one is the agent's matter.
 */
import { createConnection, type Socket } from 'node:net'
import type { SnmpSocket } from '../../config/snmp.ts'
import {
  type AgentxBody,
  type AgentxPdu,
  agentxError,
  closeReason,
  decodeAgentx,
  encodeAgentx,
} from '../../wire/agentx.ts'
import { AgentxFrames } from '../../wire/agentx-frames.ts'
import type { Binding } from '../../wire/agentx-parts.ts'
import { type Oid, oid, oidText } from '../../wire/oid.ts'
import { type Answer, answerOther, failure, type Reading } from './answer.ts'

export type ConnectionPorts = {
  readonly socket: SnmpSocket
  readonly subtrees: readonly Oid[]
  /** Of the session, for readers of the master agent's tables. */
  readonly description: string
  /** Resolves in bounded time. */
  answer(request: Reading): Promise<Answer>
  /** Registered; `refused`: what was not, and why. */
  onServed(refused: readonly string[]): void
  /** Once. A verb phrase, or what the system says. */
  onEnd(why: string): void
}

type Response = Extract<AgentxPdu, { kind: 'response' }>

/** A master that waits for another subagent is as slow as that one: five seconds, and again. */
const answerMs = 15_000
const pingEveryMs = 15_000
/** Which the master waits for an answer of ours; we give one, if only an error, in half of it. */
const timeoutSeconds = 5
const priority = 127
/** Of answers that the master does not read. */
const unreadBytesMax = 4 * 1024 * 1024
/** For the last octets to leave. */
const farewellMs = 1_000
/** Requests that wait for a status. */
const pendingMax = 1_024

export class Connection {
  readonly #ports: ConnectionPorts
  readonly #socket: Socket
  readonly #unregistered: Set<Oid>
  readonly #frames = new AgentxFrames()
  readonly #asked = new Map<number, (response: Response | null) => void>()
  readonly #ping: NodeJS.Timeout
  #patience: NodeJS.Timeout | null = null
  #session = 0
  #open = false
  #packet = 0
  #pending = 0
  #ended = false
  /** The master's sysUpTime when it was heard, and when that was. */
  #upTime = { ticks: 0, at: performance.now() }

  constructor(ports: ConnectionPorts) {
    this.#ports = ports
    const { socket, subtrees } = ports
    this.#unregistered = new Set(subtrees)
    this.#socket = createConnection(
      socket.kind === 'unix' ? { path: socket.path } : { host: socket.host, port: socket.port },
    )
    this.#await()
    this.#socket.on('connect', () => void this.#begin())
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', (error) => this.#end(reasonOf(error)))
    this.#socket.on('close', () => this.#end('the master agent closed the connection'))
    this.#ping = setInterval(() => this.#look(), pingEveryMs)
  }

  /** The master's clock now, in hundredths of a second. */
  get sysUpTime(): number {
    return this.#upTime.ticks + (performance.now() - this.#upTime.at) / 10
  }

  /** Whether the master has taken it: false when the session ends before. */
  async notify(bindings: readonly Binding[]): Promise<boolean> {
    return (await this.#ask({ kind: 'notify', bindings })) !== null
  }

  close(): void {
    if (this.#ended) return
    this.#send({ ...this.#head(), kind: 'close', reason: closeReason.shutdown })
    this.#over()
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), farewellMs).unref()
  }

  async #begin(): Promise<void> {
    const { description } = this.#ports
    const opened = await this.#ask({
      ...{ kind: 'open', timeoutSeconds, id: oid('1.3.6.1.4.1.9586.100.5') },
      description: new TextEncoder().encode(description),
    })
    if (opened === null) return
    if (opened.error !== agentxError.none)
      return this.#end(`the master agent refuses the session (${errorText(opened.error)})`)
    this.#session = opened.session
    this.#open = true
    await this.#register()
  }

  async #register(): Promise<void> {
    const refused: string[] = []
    for (const subtree of [...this.#unregistered]) {
      const response = await this.#ask({ kind: 'register', timeoutSeconds, priority, subtree })
      if (response === null) return
      const { error } = response
      if (error === agentxError.none) this.#unregistered.delete(subtree)
      else refused.push(`${oidText(subtree)}: ${errorText(error)}`)
    }
    this.#ports.onServed(refused)
  }

  /** Whether the master is alive; and what it refused may be free now. */
  #look(): void {
    if (!this.#open || this.#asked.size > 0) return
    if (this.#unregistered.size > 0) void this.#register()
    else void this.#ask({ kind: 'ping' })
  }

  /** Resolves with the response; null: the session ended before. */
  #ask(body: AgentxBody): Promise<Response | null> {
    const head = this.#head()
    return new Promise((resolve) => {
      if (this.#ended) return resolve(null)
      this.#asked.set(head.packet, resolve)
      this.#await()
      this.#send({ ...head, ...body })
    })
  }

  #head() {
    this.#packet = (this.#packet + 1) % 2 ** 32
    const packet = this.#packet
    return { session: this.#session, transaction: packet, packet, context: null }
  }

  /** A response is due: the oldest that is awaited within `answerMs`. */
  #await(): void {
    this.#patience ??= setTimeout(() => this.#end(`no answer for ${answerMs / 1_000} s`), answerMs)
  }

  #answered(): void {
    if (this.#patience !== null) clearTimeout(this.#patience)
    this.#patience = null
    if (this.#asked.size > 0) this.#await()
  }

  #take(chunk: Uint8Array): void {
    const packets = this.#frames.take(chunk)
    if (!packets.ok) return this.#garbled(packets.why)
    for (const octets of packets.value) {
      if (this.#ended) return
      const pdu = decodeAgentx(octets)
      if (!pdu.ok) return this.#garbled(pdu.why)
      this.#hear(pdu.value)
    }
  }

  #hear(pdu: AgentxPdu): void {
    switch (pdu.kind) {
      case 'response':
        return this.#heed(pdu)
      case 'close':
        return this.#end('the master agent closed the session')
      case 'get':
      case 'getNext':
      case 'getBulk':
        return void this.#answer(pdu)
      default:
        this.#respond(pdu, answerOther(pdu))
    }
  }

  #heed(pdu: Response): void {
    const resolve = this.#asked.get(pdu.packet)
    if (resolve === undefined) return
    this.#upTime = { ticks: pdu.sysUpTime, at: performance.now() }
    this.#asked.delete(pdu.packet)
    this.#answered()
    if (pdu.error === agentxError.notOpen) this.#end('the master agent has forgotten the session')
    else resolve(pdu)
  }

  async #answer(pdu: Reading): Promise<void> {
    if (pdu.session !== this.#session) return this.#respond(pdu, failure(agentxError.notOpen))
    // net-snmp may write the default context as an empty one.
    if (pdu.context !== null && pdu.context.length > 0)
      return this.#respond(pdu, failure(agentxError.unsupportedContext))
    if (this.#pending >= pendingMax) return this.#respond(pdu, failure(agentxError.genErr))
    this.#pending += 1
    const answer = await this.#ports.answer(pdu)
    this.#pending -= 1
    this.#respond(pdu, answer)
  }

  #respond({ session, transaction, packet }: AgentxPdu, answer: Answer | null): void {
    if (answer === null) return
    const head = { session, transaction, packet, context: null }
    this.#send({ ...head, kind: 'response', sysUpTime: 0, ...answer })
  }

  #send(pdu: AgentxPdu): void {
    if (this.#ended) return
    this.#socket.write(encodeAgentx(pdu))
    if (this.#socket.writableLength > unreadBytesMax) this.#end('the master agent does not read')
  }

  #garbled(why: string): void {
    this.#send({ ...this.#head(), kind: 'close', reason: closeReason.parseError })
    this.#end(`what came is no AgentX (${why})`)
  }

  #end(why: string): void {
    if (this.#ended) return
    this.#over()
    this.#socket.destroy()
    this.#ports.onEnd(why)
  }

  #over(): void {
    this.#ended = true
    clearInterval(this.#ping)
    if (this.#patience !== null) clearTimeout(this.#patience)
    for (const resolve of this.#asked.values()) resolve(null)
    this.#asked.clear()
  }
}

const errorTexts: Readonly<Record<number, string>> = {
  [agentxError.genErr]: 'general error',
  [agentxError.openFailed]: 'it cannot open one',
  [agentxError.notOpen]: 'it is not open',
  [agentxError.duplicateRegistration]:
    'another subagent serves it already: keepalived, or a second vipd',
  [agentxError.requestDenied]: 'denied',
  [agentxError.processingError]: 'processing error',
}

const errorText = (error: number): string => errorTexts[error] ?? `error ${error}`

/** With the hint that the usual reasons need. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const hint = {
    ENOENT: 'there is no such socket: is snmpd running, with `master agentx`?',
    ECONNREFUSED: 'no process listens there: is snmpd running, with `master agentx`?',
    EACCES: 'permission denied: agentXPerms of snmpd.conf',
  }[error.code ?? '']
  return hint ?? error.message
}
