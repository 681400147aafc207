/** The way from `dpkg -i` to a working pair, as docs/installing.md has it, walked as it is written there. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../src/lab/program.ts'
import type { RootedHost } from './root.ts'

type Step = { readonly on: 'both' | 'first' | 'second'; readonly command: string }

/** The way from `dpkg -i` to a working pair, as docs/installing.md has it. */
function stepsOfThePage(): readonly Step[] {
  const page = readFileSync(join(projectRoot, 'docs/installing.md'), 'utf8')
  const section = /^### From `dpkg -i`.*?\n(.*?)^The unit is/ms.exec(page)?.[1] ?? ''
  let on: Step['on'] | null = null
  return section.split('\n').flatMap((line) => {
    const named = /^On (?:the )?(both|first|second) hosts?,/.exec(line)?.[1]
    if (named !== undefined) on = named as Step['on']
    return /^ {4}\S/.test(line) && on !== null ? [{ on, command: line.trim() }] : []
  })
}

/** From then on as if systemd ran. */
export async function playSystemd(at: RootedHost): Promise<void> {
  const systemctl = readFileSync(join(projectRoot, 'test/package/systemctl.sh'))
  writeFileSync(join(at.root, 'bin/systemctl'), systemctl, { mode: 0o755 })
  await at.must('mkdir', '-p', '/run/systemd/system')
}

/** Each command ends with status 0. The packages lie in /srv of both; `holds`: the address comes to that host. */
export async function followThePage(
  first: RootedHost,
  second: RootedHost,
  holds: (at: RootedHost) => Promise<void>,
): Promise<void> {
  const steps = stepsOfThePage()
  assert.ok(steps.length > 5 && steps.length <= 10, `${steps.length} commands`)
  const run = async (at: RootedHost, command: string) => {
    if (command.startsWith('systemctl')) await playSystemd(at)
    const said = await at.must('sh', '-c', `cd /srv && ${command}`)
    if (command === 'vipd check') assert.match(said, /nothing to remark; ready to run/)
    if (command === 'vipd drain') await holds(second)
    if (command === 'vipd resume') await holds(first)
  }
  const hosts = { both: [first, second], first: [first], second: [second] }
  for (const { on, command } of steps) for (const at of hosts[on]) await run(at, command)
}
