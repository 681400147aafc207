/** A master agent that a test plays: it lets subagents register, asks them, and takes what they tell. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Journal } from '../../../../src/lab/wait.ts'
import {
  type AgentxBody,
  type AgentxPdu,
  decodeAgentx,
  encodeAgentx,
} from '../../../../src/wire/agentx.ts'
import { AgentxFrames } from '../../../../src/wire/agentx-frames.ts'
import { oid, oidText } from '../../../../src/wire/oid.ts'

type Response = Extract<AgentxPdu, { kind: 'response' }>

export class Master {
  readonly directory = mkdtempSync(join(tmpdir(), 'vipd-agentx-'))
  readonly path = join(this.directory, 'master')
  /** All that came, but for responses. */
  readonly heard = new Journal<AgentxPdu>()
  readonly responses = new Journal<Response>()
  /** The error that a registration gets, by its subtree. */
  readonly refuses = new Map<string, number>()
  /** Takes all and answers nothing. */
  hangs = false
  sysUpTime = 100
  #server: Server | null = null
  #socket: Socket | null = null
  #packet = 0

  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.path, resolve))
  }

  /** As snmpd that is stopped: its connections end. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.#socket?.destroy()
    this.#socket = null
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Octets as they are. */
  write(octets: Uint8Array): void {
    this.#socket?.write(octets)
  }

  /** Sends them in one piece, and gives their responses in the order of the requests. */
  async ask(...bodies: readonly AgentxBody[]): Promise<readonly Response[]> {
    const pdus = bodies.map((body) => {
      this.#packet += 1
      return { session: 7, transaction: 1, packet: this.#packet, context: null, ...body }
    })
    this.write(Buffer.concat(pdus.map(encodeAgentx)))
    return await Promise.all(
      pdus.map((pdu) =>
        this.responses.next(`the response ${pdu.packet}`, 10_000, (it) => it.packet === pdu.packet),
      ),
    )
  }

  async get(...names: readonly string[]): Promise<Response> {
    const ranges = names.map((name) => ({ start: oid(name), include: false, end: [] }))
    const [response] = await this.ask({ kind: 'get', ranges })
    if (response === undefined) throw new Error('no response')
    return response
  }

  #serve(socket: Socket): void {
    this.#socket = socket
    const frames = new AgentxFrames()
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      const taken = frames.take(chunk)
      if (!taken.ok) throw new Error(taken.why)
      for (const octets of taken.value) {
        const pdu = decodeAgentx(octets)
        if (!pdu.ok) throw new Error(pdu.why)
        this.#hear(pdu.value)
      }
    })
  }

  #hear(pdu: AgentxPdu): void {
    if (pdu.kind === 'response') return this.responses.push(pdu)
    this.heard.push(pdu)
    if (this.hangs || pdu.kind === 'close') return
    const refused = pdu.kind === 'register' ? this.refuses.get(oidText(pdu.subtree)) : undefined
    this.write(
      encodeAgentx({
        ...{ session: 7, transaction: pdu.transaction, packet: pdu.packet, context: null },
        ...{ kind: 'response', sysUpTime: this.sysUpTime, error: refused ?? 0, index: 0 },
        bindings: [],
      }),
    )
  }
}
