/**
 * The right to build networks. Root has it; another user gets it inside a user namespace of its own, by
 * running the same program again under unshare(1). Either way the program also leaves the machine's network
 * behind, so nothing that the lab does can reach it.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

const mark = 'VIPD_LAB_INSIDE'

/** True when this process is the one that `ensureNamespaces` started. */
export const insideNamespaces = (): boolean => process.env[mark] === '1'

/** True when this process is root only in a user namespace that maps fewer users than there are. */
export const inUserNamespace = (): boolean =>
  !/^\s*0\s+0\s+4294967295$/m.test(readFileSync('/proc/self/uid_map', 'utf8'))

/**
 * Returns when this process may create network namespaces and lives in one of its own. Otherwise runs the
 * program again inside fresh namespaces (a user namespace too unless root), waits, and exits with its status.
 * The inner process is killed when this one dies.
 */
export function ensureNamespaces(argv: readonly string[] = process.argv.slice(1)): void {
  if (insideNamespaces()) return
  const user = process.getuid?.() === 0 && mayAdminister() ? [] : ['--user', '--map-root-user']
  const script = 'ip link set lo up && exec setpriv --pdeathsig KILL "$@"'
  const inner = ['sh', '-c', script, 'sh', process.execPath, ...process.execArgv, ...argv]
  const run = spawnSync('unshare', [...user, '--net', '--mount', '--ipc', ...inner], {
    stdio: 'inherit',
    env: { ...process.env, [mark]: '1' },
  })
  if (run.error !== undefined) {
    process.stderr.write(`unshare (util-linux) is needed: ${run.error.message}\n`)
    process.exit(1)
  }
  process.exit(run.signal === null ? (run.status ?? 1) : 128 + constants.signals[run.signal])
}

/** CAP_SYS_ADMIN is bit 21, CAP_NET_ADMIN bit 12. */
function mayAdminister(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  const bits = BigInt(`0x${effective ?? '0'}`)
  return (bits & (1n << 21n)) !== 0n && (bits & (1n << 12n)) !== 0n
}
