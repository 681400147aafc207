/** Whether a process answers at a Unix socket: a file that a dead one left can be replaced. */
import { connect } from 'node:net'

/** A full queue (EAGAIN) or a refused permission is an owner that lives. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
    })
  })
}
