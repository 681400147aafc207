/**
 * A program: a neighbour that demands silence once both ends are up (RFC 5880 section 6.6), which neither BIRD nor FRR does.
 * Its arguments are its own address and the other end's. It sends each 50 ms, says each state that it enters and each F
 * that comes, and polls at each line of its standard input.
 */
import { createSocket } from 'node:dgram'
import { createInterface } from 'node:readline'
import { us } from '../../src/base/time.ts'
import { type BfdParams, newBfdSession, stepBfd } from '../../src/bfd/session.ts'
import { bfdPort, decodeBfd, encodeBfd } from '../../src/wire/bfd.ts'

const [own = '', other = ''] = process.argv.slice(2)
const everyMs = 50
const everyUs = us(everyMs * 1_000)

const params: BfdParams = {
  ...{ discriminator: 0xdead, minTxUs: everyUs, minRxUs: everyUs, idleTxUs: everyUs },
  // This process has no real-time scheduling.
  ...{ multiplier: 100, passive: false },
}
let session = newBfdSession(params)
let polling = false

const socket = createSocket('udp4')

function send(final = false): void {
  const bytes = encodeBfd({
    ...{ state: session.state, diagnostic: session.diagnostic, poll: polling && !final, final },
    ...{ demand: session.state === 'Up' && session.peer?.state === 'Up', multiplier: 100 },
    ...{ myDiscriminator: params.discriminator },
    yourDiscriminator: session.peer?.discriminator ?? 0,
    ...{ desiredMinTxUs: everyUs, requiredMinRxUs: everyUs },
  })
  socket.send(bytes, bfdPort.singleHop, other)
}

socket.on('message', (bytes) => {
  const packet = decodeBfd(bytes)
  if (!packet.ok) return
  const before = session.state
  session = stepBfd(session, params, { kind: 'packet', packet: packet.value })
  if (session.state !== before) console.log(`state ${session.state}`)
  if (packet.value.final) {
    polling = false
    console.log('final')
  }
  if (packet.value.poll) send(true)
})

socket.bind(bfdPort.singleHop, own, () => {
  socket.setTTL(255)
  setInterval(send, everyMs)
})
createInterface({ input: process.stdin }).on('line', () => {
  polling = true
})
