/**
 * The names of vipd's nft tables: one of each kind for each run directory, so that the next daemon there, or `vipd cleanup`, finds
 * the table of the last one. Earlier versions put the process id into the name.
 */
import type { OpError } from '../base/errors.ts'
import { digest } from './survey.ts'

const prefix = 'vipd_'

export const tableName = (runDir: string): string => `${prefix}run_${digest(runDir)}`
/** Of the kernel lease, family netdev. */
export const leaseTableName = (runDir: string): string => `${prefix}lease_${digest(runDir)}`

type Listed = { readonly family: string; readonly name: string }

/**
 * Of `nft list tables`, the vipd tables whose daemon is dead. `living`: the run directories of the daemons that live
 * beside the caller.
 */
function deadTables(listed: string, living: readonly string[]): readonly Listed[] {
  const alive = new Set(living.flatMap((it) => [tableName(it), leaseTableName(it)]))
  const found = [...listed.matchAll(/^table (inet|netdev) (vipd_\w+)/gm)]
  const tables = found.map(([, family = '', name = '']) => ({ family, name }))
  return tables.filter(({ family, name }) => {
    const kind = family === 'netdev' ? 'lease' : 'run'
    if (new RegExp(`^vipd_${kind}_[0-9a-f]{12}$`).test(name)) return !alive.has(name)
    const [, pid] = /^vipd_(\d+)$/.exec(name) ?? []
    return pid !== undefined && !runs(Number(pid))
  })
}

/** There can be none: no nft on this host, or no nf_tables in its kernel. */
export const meansNoTables = ({ code, detail }: OpError): boolean =>
  code === 'ENOENT' || /Protocol not supported/.test(detail)

export type SweptTables = { readonly removed: readonly string[]; readonly own: boolean }

/**
 * Removes the tables of dead daemons, but for `own`, of which it is said whether it is there. With `own`, at the start of
 * a daemon, tables of a kernel lease stay: they mute addresses that their daemons left, and do nothing when those are
 * gone. `nft` runs the program and gives its output; what it throws ends the sweep.
 */
export async function sweepTables(
  nft: (args: readonly string[]) => Promise<string>,
  living: readonly string[],
  own: string | null,
): Promise<SweptTables> {
  const dead = deadTables(await nft(['list', 'tables']), living)
  const others = dead.filter(({ family, name }) =>
    own === null ? true : name !== own && family !== 'netdev',
  )
  for (const { family, name } of others) await nft(['delete', 'table', family, name])
  return {
    removed: others.map(({ name }) => name),
    own: own !== null && dead.some(({ name }) => name === own),
  }
}

/** No table of this process carries a process id: one with ours is a predecessor's. */
function runs(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
