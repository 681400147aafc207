/** How late the deciding thread is: pings on the control socket, which it answers itself. */
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { controlFrameBytesMax } from '../src/base/limits.ts'
import { encodeFrame, FrameReader } from '../src/control/protocol.ts'

const everyMs = 5

/** Milliseconds that each ping took. */
export async function pings(path: string, seconds: number): Promise<number[]> {
  const socket = connect(path)
  const took: number[] = []
  const end = performance.now() + seconds * 1_000
  for (let id = 1; performance.now() < end; id += 1) {
    const began = performance.now()
    await ping(socket, id)
    took.push(performance.now() - began)
    await delay(everyMs)
  }
  socket.destroy()
  return took
}

function ping(socket: Socket, id: number): Promise<void> {
  const reader = new FrameReader(controlFrameBytesMax)
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error('the control socket has closed'))
    const take = (chunk: Buffer) => {
      if ((reader.push(chunk)?.length ?? 0) === 0) return
      socket.removeListener('data', take)
      socket.removeListener('close', failed)
      resolve()
    }
    socket.on('data', take)
    socket.once('close', failed)
    socket.write(encodeFrame({ id, verb: 'ping' }, controlFrameBytesMax))
  })
}
