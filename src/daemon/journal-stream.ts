/**
 * The stream to journald that systemd opened as our standard error, opened again when journald has let go of it: a
 * restart that lost its descriptors, a crash. Without it the log would be silent until the daemon's own restart.
 */
import { Socket } from 'node:net'

/** Identifier, unit (journald finds it by the control group), severity of lines without one, `<N>` is read, no forwarding. */
const header = 'vipd\n\n6\n1\n0\n0\n0\n'

type Done = (error: NodeJS.ErrnoException | null, written: number) => void

/** Writes to the socket `fd`, and to a new one at `path` once that is broken. */
export function journalPut(fd: number, path: string): (bytes: Buffer, done: Done) => void {
  let current: Socket | null = quiet(new Socket({ fd, readable: false, writable: true }))
  const anew = (bytes: Buffer, done: Done): void => {
    const socket = quiet(new Socket())
    // Of the error and the end that follows it, the first tells.
    let told = false
    const tell: Done = (error, written) => {
      if (told) return
      told = true
      if (error === null) current = socket
      else socket.destroy()
      done(error, written)
    }
    socket.once('error', (error) => tell(error, 0))
    socket.connect(path, () => {
      socket.write(Buffer.concat([Buffer.from(header), bytes]), (error) =>
        tell(error ?? null, bytes.length),
      )
    })
  }
  return (bytes, done) => {
    const socket = current
    if (socket === null || socket.destroyed) return anew(bytes, done)
    socket.write(bytes, (error) => {
      if (error === undefined || error === null) return done(null, bytes.length)
      current = null
      socket.destroy()
      anew(bytes, done)
    })
  }
}

/** It keeps the process from ending by nothing, and its errors are told by its writes. */
function quiet(socket: Socket): Socket {
  socket.unref()
  socket.on('error', () => undefined)
  return socket
}
