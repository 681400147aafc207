/** `vipd status`: the daemon's own account, as a table or as JSON; the exit status says whether all is well. */
import { Command } from 'commander'
import { requestStatus } from '../control/client.ts'
import type { Status } from '../report/status.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { formatStatus } from './format-status.ts'
import { degradations } from './health.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { daemonSocket } from './trusted-directory.ts'

export const command = (): Command =>
  new Command('status')
    .argument('[name]')
    .description('what the running daemon does: instances, checks, addresses')
    .option('--json', 'machine-readable, schema 1')
    .option('-q, --quiet', 'print nothing: the exit status is the answer')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        '[name] is an instance, a group or a check, shown in full.',
        'Exit status: 0 all well, 1 degraded (fault, check down, address missing, second master), 2 no daemon answers, 3 wrong usage.',
      ),
    )
    .action(async (name: string | undefined, options: Given) => {
      const { runDir, json = false, quiet = false } = options
      process.exitCode = await show({ runDir, json, quiet, name })
    })

type Given = { readonly json?: boolean; readonly quiet?: boolean; readonly runDir: string }

type Options = {
  readonly runDir: string
  readonly json: boolean
  readonly quiet: boolean
  readonly name: string | undefined
}

function show(options: Options): Promise<number> {
  return asking(async () => {
    const status = narrowed(await requestStatus(daemonSocket(options.runDir, 'read')), options.name)
    if (status === null) {
      process.stderr.write(`vipd: there is no instance, group or check called ${options.name}\n`)
      return exit.usage
    }
    if (!options.quiet) {
      process.stdout.write(
        options.json ? `${JSON.stringify(status, null, 2)}\n` : text(status, options),
      )
    }
    return degradations(status).length > 0 ? exit.degraded : exit.ok
  })
}

function text(status: Status, options: Options): string {
  const { stdout, env } = process
  return formatStatus(status, {
    now: Date.now(),
    width: stdout.isTTY ? stdout.columns : null,
    colour: stdout.isTTY && (env['NO_COLOR'] ?? '') === '',
    full: options.name !== undefined,
  })
}

/** Only what bears the name: an instance with its checks, a group with its members, or a check; and what is about the host. */
export function narrowed(status: Status, name: string | undefined): Status | null {
  if (name === undefined) return status
  const groups = status.groups.filter((g) => g.name === name)
  const members = new Set([name, ...groups.flatMap((g) => g.members)])
  const instances = status.instances.filter((i) => members.has(i.name))
  const checks = status.checks.filter(
    (c) => c.name === name || c.usedBy.some((user) => members.has(user)),
  )
  const bfd = status.bfd.filter(
    (b) => b.name === name || b.usedBy.some((user) => members.has(user)),
  )
  if (groups.length + instances.length + checks.length + bfd.length === 0) return null
  const others = new Set(
    status.instances.filter((it) => !members.has(it.name)).flatMap((it) => it.warnings),
  )
  // What is about no instance (the warden, the host) concerns each of them.
  const warnings = status.warnings.filter((warning) => !others.has(warning))
  return { ...status, groups, instances, checks, bfd, warnings }
}
