/** "Does a TCP connection open?": what `</dev/tcp/HOST/PORT` asks, without a fork. */
import { connect, type Socket } from 'node:net'
import { resolveHost } from './resolve.ts'
import type { Outcome } from './types.ts'

export type TcpTarget = { readonly host: string; readonly port: number }

/** Tries the addresses of the host in turn; `ended` is called once, at `timeoutMs` at the latest. */
export function probeTcp(
  { host, port }: TcpTarget,
  timeoutMs: number,
  ended: (outcome: Outcome) => void,
): { cancel(): void } {
  let socket: Socket | null = null
  let open = true
  // The connection may have opened behind a late timer: look at the loop's events once more.
  const deadline = setTimeout(
    () => setImmediate(() => finish({ kind: 'timeout', afterMs: timeoutMs })),
    timeoutMs,
  )
  void resolveHost(host, timeoutMs).then((addresses) => attempt(addresses, `unknown host ${host}`))
  return { cancel: () => stop() }

  function attempt(addresses: readonly string[], why: string): void {
    if (!open) return
    const [address, ...others] = addresses
    if (address === undefined) {
      finish({ kind: 'probe', ok: false, detail: why })
      return
    }
    socket = connect({ host: address, port })
    socket.once('connect', () => finish({ kind: 'probe', ok: true, detail: 'connected' }))
    socket.once('error', (error) => attempt(others, failure(error)))
  }

  function finish(outcome: Outcome): void {
    if (!open) return
    stop()
    ended(outcome)
  }

  function stop(): void {
    open = false
    clearTimeout(deadline)
    socket?.destroy()
  }
}

const failures: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ECONNRESET: 'connection reset',
}

function failure(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.message
  return failures[code] ?? code
}
