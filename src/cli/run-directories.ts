/** Which run directory belongs to which daemon of this host: by its network namespace and its name. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { IdentityOptions } from '../config/types.ts'
import { defaultRunDir, socketPath } from './paths.ts'

/** What sockaddr_un takes, without the name of the socket in it. */
const labelMax = 80

/** `/run/vipd`, or a directory in it for a daemon with net_namespace or instance. */
export function runDirectoryOf(
  { netNamespace, instanceName }: IdentityOptions,
  base = defaultRunDir,
): string {
  const parts = [
    ...(netNamespace === null ? [] : [`netns-${netNamespace}`]),
    ...(instanceName === null ? [] : [`instance-${instanceName}`]),
  ]
  if (parts.length === 0) return base
  const label = parts.join('.')
  if (Buffer.byteLength(label) <= labelMax) return join(base, label)
  const hash = createHash('sha256').update(label).digest('hex').slice(0, 8)
  return join(base, `${label.slice(0, labelMax / 4)}-${hash}`)
}

/**
 * Those with a control socket: of `base` itself, of daemons with net_namespace or instance, and of daemons in keepalived's
 * place with a pid file of their own.
 */
export function runDirectories(base = defaultRunDir): readonly string[] {
  const own = names(base).filter((name) => /^(netns|instance)-/.test(name))
  const beside = names(dirname(base)).filter((name) => name.startsWith(`${basename(base)}-`))
  const candidates = [
    base,
    ...own.map((name) => join(base, name)),
    ...beside.map((name) => join(dirname(base), name)),
  ]
  return candidates.filter((directory) => existsSync(socketPath(directory)))
}

/** The daemon that is asked where none is named: that of `base`, else the only one. */
export function usualRunDirectory(base = defaultRunDir): string {
  const [first, second] = runDirectories(base)
  return first !== undefined && (first === base || second === undefined) ? first : base
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}
