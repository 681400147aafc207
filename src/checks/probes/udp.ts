/** One datagram there, one back: the probe behind udp, and what dns sends its queries with. */
import { createSocket, type Socket } from 'node:dgram'
import { isIP } from 'node:net'
import type { UdpProbe } from '../../base/probe.ts'
import { resolveHost } from '../../programs/resolve.ts'
import { Refusal } from '../verdict/probe-failure.ts'
import { type Asking, describeFailure } from './connection.ts'
import { judge, unanswered } from './expectation.ts'

/** Resolves with the words of success. Rejects with a Refusal; silence is left to the deadline. */
export async function askUdp(probe: UdpProbe, asking: Asking): Promise<string> {
  const { expect } = probe
  const answer = await exchange(probe, probe.octets, asking)
  asking.passed('first byte')
  if (expect === null) return 'answered'
  const judgement = judge(expect, answer)
  if (judgement.kind === 'right') return 'answered as expected'
  throw new Refusal(judgement.kind === 'wrong' ? judgement.why : unanswered(expect, answer))
}

/**
 * Sends to the first address of the host and resolves with the first answer that `wanted` takes. The socket is
 * connected: nobody else's datagrams arrive, and a closed port is told.
 */
export async function exchange(
  { host, port }: { readonly host: string; readonly port: number },
  octets: Uint8Array,
  asking: Asking,
  wanted: (answer: Buffer) => boolean = () => true,
): Promise<Buffer> {
  const [address] = await resolveHost(host, asking.timeoutMs)
  if (address === undefined) throw new Refusal(`unknown host ${host}`)
  asking.passed('resolve')
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
  asking.opened(() => close(socket))
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => reject(new Refusal(describeFailure(error))))
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
