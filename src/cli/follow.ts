/** Events of a daemon as lines on standard output, until interrupted: over restarts of the daemon, and no faster than they are read. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { ControlError, readEvents } from '../control/client.ts'
import type { DaemonEvent } from '../report/event.ts'
import { outputIsGone } from './output.ts'

const againMs = 1_000

export type Following = {
  readonly socket: string
  /** What is printed for it; null: nothing. */
  line(event: DaemonEvent): string | null
  /** Of what happened of late, at the first connection: which of it is told. */
  isNew(event: DaemonEvent): boolean
}

/** Resolves when the reader is interrupted or has left. Throws ControlError when no daemon answers at first. */
export async function follow({ socket, line, isNew }: Following): Promise<void> {
  const end = new AbortController()
  const stop = () => end.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  process.stdout.once('error', stop)
  let connected = false
  let lastAt = ''
  const take = (events: readonly DaemonEvent[], recent: boolean) => {
    const missed = lastAt === '' ? isNew : ({ at }: DaemonEvent) => at > lastAt
    connected = true
    const told = recent ? events.filter(missed) : events
    lastAt = events.at(-1)?.at ?? lastAt
    if (recent && lastAt === '') lastAt = new Date().toISOString()
    const text = told.map((event) => line(event) ?? '').join('')
    if (text === '' || outputIsGone() || process.stdout.write(text)) return undefined
    return once(process.stdout, 'drain', { signal: end.signal }).then(
      () => undefined,
      () => undefined,
    )
  }
  while (!end.signal.aborted) {
    try {
      await readEvents(socket, { take }, end.signal)
    } catch (error) {
      if (!(error instanceof ControlError) || !mayReturn(error)) throw error
      if (connected) process.stderr.write(`vipd: ${error.message}; waiting for it\n`)
      else if (lastAt === '') throw error
      connected = false
      await delay(againMs, null, { signal: end.signal }).catch(() => undefined)
    }
  }
}

const mayReturn = ({ failure }: ControlError): boolean =>
  failure === 'unreachable' || failure === 'timeout'
