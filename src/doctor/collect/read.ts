/** Files and programs, as the collector asks them. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

function attempt<T>(act: () => T): T | null {
  try {
    return act()
  } catch {
    return null
  }
}

/** null: it cannot be read. */
export const readText = (path: string): string | null => attempt(() => readFileSync(path, 'utf8'))
export const readLink = (path: string): string | null => attempt(() => readlinkSync(path))
export const namesIn = (path: string): readonly string[] => attempt(() => readdirSync(path)) ?? []

const directories = (process.env['PATH'] ?? '')
  .split(':')
  .concat('/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin')

/** Root's programs are not in the path of every user. */
export const findProgram = (name: string): string | null =>
  directories
    .map((directory) => join(directory, name))
    .find((path) => attempt(() => accessSync(path, constants.X_OK)) !== null) ?? null

const programMs = 3_000
const outputMax = 24 << 20

export type Ran = { readonly output: string } | { readonly why: string }

/** Its standard output, or why there is none; killed after three seconds. */
export function runProgram(name: string, args: readonly string[]): Ran {
  const path = findProgram(name)
  if (path === null) return { why: `there is no ${name}` }
  const ran = spawnSync(path, args, {
    encoding: 'utf8',
    timeout: programMs,
    killSignal: 'SIGKILL',
    maxBuffer: outputMax,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (ran.error !== undefined) return { why: `${name}: ${ran.error.message}` }
  if (ran.status === 0) return { output: ran.stdout }
  const [line = ''] = ran.stderr.trim().split('\n')
  return { why: `${name}: ${line === '' ? `status ${ran.status}` : line}` }
}

/** The value of an output that is JSON, or why there is none. */
export function runForJson(
  name: string,
  args: readonly string[],
): { readonly json: unknown } | { readonly why: string } {
  const ran = runProgram(name, args)
  if ('why' in ran) return ran
  if (ran.output.trim() === '') return { json: [] }
  return attempt(() => ({ json: JSON.parse(ran.output) as unknown })) ?? { why: `${name}: no JSON` }
}
