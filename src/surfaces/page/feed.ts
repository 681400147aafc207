/** The stream of events, kept open: what the page is told. */
import type { Pair } from '../../report/pair.ts'
import type { Status, Transition } from '../../report/status.ts'

export type FeedPorts = {
  status(status: Status): void
  transition(what: Transition): void
  pair(pair: Pair): void
  /** Alive, with nothing new. */
  beat(): void
  /** The deciding part of the daemon does not answer. */
  silence(): void
  /** The stream was refused, or has ended: perhaps the session has. */
  refused(): void
}

const againMs = 2_000

/** Opens the stream; an ended one is opened again, by the browser or here. What it returns closes it. */
export function openFeed(ports: FeedPorts): () => void {
  let source: EventSource | null = null
  let timer = 0
  const open = (): void => {
    const made = new EventSource('/api/v1/events')
    source = made
    const on = (name: string, take: (data: unknown) => void) =>
      made.addEventListener(name, ({ data }: MessageEvent<string>) => take(JSON.parse(data)))
    on('status', (data) => ports.status(data as Status))
    on('transition', (data) => ports.transition(data as Transition))
    on('pair', (data) => ports.pair(data as Pair))
    on('beat', () => ports.beat())
    on('silence', () => ports.silence())
    made.addEventListener('error', () => {
      // Else the browser tries again by itself.
      if (made.readyState !== EventSource.CLOSED) return
      ports.refused()
      timer = window.setTimeout(open, againMs)
    })
  }
  open()
  return () => {
    source?.close()
    window.clearTimeout(timer)
  }
}
