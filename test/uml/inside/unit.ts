/** The unit of systemd/ as it is asked and ordered in its user-mode Linux, for the tests inside. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { program } from '../../../src/lab/program.ts'

export type Ran = { readonly status: number | null; readonly said: string }

export function attempt(command: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  assert.equal(error, undefined)
  return { status, said: `${stdout}${stderr}`.trim() }
}

/** What it wrote to standard output; its end was a good one. */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  assert.equal(error, undefined)
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout.trim()
}

export const systemctl = (...args: readonly string[]): string => run('systemctl', ...args)
export const property = (name: string): string => systemctl('show', '--value', '-p', name, 'vipd')
/** What the daemon wrote. */
export const journal = (): string => run('journalctl', '--no-pager', '-o', 'cat', '-u', 'vipd')
/** What systemd says of its unit: in the kernel's log (boot.ts). */
export const managerSaid = (): string =>
  run('dmesg')
    .split('\n')
    .filter((line) => line.includes('systemd[1]: vipd.service: '))
    .join('\n')

/** The program of the unit (boot.ts). */
export const vipdProgram = [process.execPath, program('../cli/run.js')] as const
