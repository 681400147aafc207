/** One datagram there, one back: the probe behind udp, and what dns sends its queries with. */
import { createSocket, type Socket } from 'node:dgram'
import { isIP } from 'node:net'
import type { UdpProbe } from '../../base/probe.ts'
import { resolveHost } from '../../programs/resolve.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { describeFailure, type ProbeContext } from './connection.ts'
import { judge, unanswered } from './expectation.ts'

/** Resolves with the words of success. Rejects with a ProbeFailure; silence is left to the deadline. */
export async function probeUdp(probe: UdpProbe, context: ProbeContext): Promise<string> {
  const { expect } = probe
  const answer = await exchange(probe, probe.octets, context)
  context.passed('first byte')
  if (expect === null) return 'answered'
  const judgement = judge(expect, answer)
  if (judgement.kind === 'match') return 'answered as expected'
  throw new ProbeFailure(judgement.kind === 'mismatch' ? judgement.why : unanswered(expect, answer))
}

/**
 * Sends to the first address of the host and resolves with the first answer that `wanted` takes. The socket is
 * connected: no other sender's datagrams arrive, and a closed port is reported.
 */
export async function exchange(
  { host, port }: { readonly host: string; readonly port: number },
  octets: Uint8Array,
  context: ProbeContext,
  wanted: (answer: Buffer) => boolean = () => true,
): Promise<Buffer> {
  const [address] = await resolveHost(host, context.timeoutMs)
  if (address === undefined) throw new ProbeFailure(`unknown host ${host}`)
  context.passed('resolve')
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
  context.opened(() => close(socket))
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => reject(new ProbeFailure(describeFailure(error))))
    socket.on('message', (answer) => {
      if (wanted(answer)) resolve(answer)
    })
    socket.connect(port, address, () => socket.send(octets))
  })
}

/** A socket that is still being bound reports its own end. */
function close(socket: Socket): void {
  socket.on('error', () => undefined)
  try {
    socket.close()
  } catch {
    // Closed already.
  }
}
