/** Text to configuration, as a start and a reload read it. */
import { checkReport } from '../../src/config/explain/check.ts'
import type { Config } from '../../src/config/types.ts'
import { fakeWorld } from '../unit/config/fake-world.ts'

/** Throws when it would not run. */
export function configOf(text: string): Config {
  const programs = { '/usr/bin/true': { text: '', mode: 0o755 } }
  const world = fakeWorld({ files: { '/c.conf': text, ...programs }, interfaces: ['lo', 'eth0'] })
  const report = checkReport('/c.conf', world, { configId: null, includeAll: false })
  if (report.config === null || report.exit === 2 || report.exit === 4)
    throw new Error(`the simulator wrote a bad configuration: ${report.text}\n${text}`)
  return report.config
}
