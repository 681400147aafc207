/**
 * Runs a test file inside a network namespace of its own: the file starts itself again under unshare, as root
 * or, without root, in a user namespace where it is root. The namespace is gone when the process is, and
 * the process dies with the one that started it, so nothing is left behind.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const mark = 'VIPD_TEST_NAMESPACE'

/**
 * True inside. Outside: runs the file `url` inside to its end, takes over its exit status, and answers false.
 * `if (await enterNamespace(import.meta.url)) await import('./cases.ts')`
 */
export async function enterNamespace(url: string): Promise<boolean> {
  if (process.env[mark] === '1') return true
  const isolate = process.getuid?.() === 0 ? ['-n'] : ['-Urn']
  const node = [process.execPath, ...process.execArgv, fileURLToPath(url)]
  // After unshare, because a change of credentials forgets the death signal.
  const child = spawn('unshare', [...isolate, 'setpriv', '--pdeathsig', 'KILL', '--', ...node], {
    stdio: 'inherit',
    env: { ...process.env, [mark]: '1' },
  })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  process.on('SIGTERM', forward)
  process.on('SIGINT', forward)
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (status) => resolve(status ?? 1))
  })
  process.off('SIGTERM', forward)
  process.off('SIGINT', forward)
  return false
}
