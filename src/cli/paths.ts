/** Default paths, and the version of this package. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const defaultRunDir = '/run/vipd'
const defaultConfigs = ['/etc/vipd/vipd.conf', '/etc/keepalived/keepalived.conf']

export const socketPath = (runDir: string) => join(runDir, 'vipd.sock')

/** The number of the daemon of `vipd run`, for other programs. */
export const pidFilePath = (runDir: string) => join(runDir, 'vipd.pid')

/** Beside it, for groups: see control/rights.ts. */
export const groupSocketPath = (runDir: string, right: 'read' | 'push') =>
  join(runDir, `vipd-${right}.sock`)

/** What was named, else the first default that is there, else the first default. */
export const configPath = (named: string | undefined): string =>
  named ?? defaultConfigs.find((path) => existsSync(path)) ?? defaultConfigs[0] ?? ''

/** The version of the package that this file was installed with. */
export function packageVersion(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    const file = join(dir, 'package.json')
    if (existsSync(file)) {
      const content = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }
      if (content.name === 'vipd') return content.version ?? '0'
    }
    if (dir === dirname(dir)) return '0'
  }
}
