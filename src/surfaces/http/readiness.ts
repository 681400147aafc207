/** `/readyz`: what load balancers, keepalives and orchestrators ask, as a status of HTTP. */
import type { Status, StatusInstance } from '../../report/status.ts'

export type Readiness = { readonly ready: boolean; readonly why: string }

/**
 * Whether the instance, or every one, is in that state; without a state: whether each takes part (MASTER or BACKUP).
 * null: there is no instance of that name.
 */
export function readiness(
  status: Status,
  wanted: { readonly state: string | null; readonly instance: string | null },
): Readiness | null {
  const { instance, state } = wanted
  const chosen = status.instances.filter(({ name }) => instance === null || name === instance)
  if (chosen.length === 0) return instance === null ? { ready: false, why: 'no instance' } : null
  const fits = ({ state: is }: StatusInstance): boolean =>
    state === null ? is === 'MASTER' || is === 'BACKUP' : is === state.toUpperCase()
  const not = chosen.find((it) => !fits(it))
  if (not === undefined) return { ready: true, why: 'ok' }
  return { ready: false, why: `${not.name} is ${not.state}: ${not.why}` }
}

export const readyStates: ReadonlySet<string> = new Set([
  'init',
  'backup',
  'master',
  'fault',
  'stop',
])
