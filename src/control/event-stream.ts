/** The daemon's end of `vipd events`: frames for one reader until it leaves, or does not read. */
import type { Socket } from 'node:net'
import { controlFrameBytesMax, controlStreamBytesMax } from '../base/limits.ts'
import type { DaemonEvent } from '../report/event.ts'
import type { EventFeed } from './event-feed.ts'
import { encodeFrame, protocolVersion } from './protocol.ts'

/** An empty frame so often: a reader learns that the daemon lives, and the daemon that the reader does. */
const beatMs = 2_000

/**
 * Resolves when the reader has gone. Answers first with what happened of late, then with what happens, in lists. A reader
 * with `controlStreamBytesMax` octets unread, or from which nothing is taken for `stalledMs`, is dropped.
 */
export function streamEvents(
  socket: Socket,
  id: number,
  feed: Pick<EventFeed, 'subscribe'>,
  stalledMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    let emptyAt = performance.now()
    const send = (result: unknown) => {
      if (socket.writableLength === 0) emptyAt = performance.now()
      const stalled = performance.now() - emptyAt > stalledMs
      if (stalled || socket.writableLength > controlStreamBytesMax) socket.destroy()
      else socket.write(encodeFrame({ id, ok: true, result }, controlFrameBytesMax))
    }
    const { recent, end } = feed.subscribe({
      take: (events: readonly DaemonEvent[]) => send(events),
      cut: () => void socket.destroy(),
    })
    send({ protocol: protocolVersion, recent })
    const beat = setInterval(send, beatMs, [])
    const over = () => {
      clearInterval(beat)
      end()
      resolve()
    }
    socket.once('close', over)
    // What it writes is thrown away; half-closed by the reader, it has gone.
    socket.on('readable', () => void socket.read())
    socket.once('end', () => socket.destroy())
    if (socket.destroyed) over()
  })
}
