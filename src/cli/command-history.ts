/**
 * `vipd history`: when each instance changed state, and why, over restarts of the daemon. Oldest first, as a log reads. Told
 * by the daemon while it runs; by its files while it does not.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import type { DaemonEvent } from '../report/event.ts'
import { readInstant } from '../report/instant.ts'
import { byInstance, type Told } from '../report/past.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { follow } from './follow.ts'
import { age, printable } from './format.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { pastTransitions } from './past-transitions.ts'
import { daemonSocket } from './trusted-directory.ts'

export const command = (): Command =>
  new Command('history')
    .argument('[name]')
    .description('the transitions of every instance, or of one, and why, over restarts')
    .addOption(
      new Option('--since <when>', '30m, 12h or 7d ago, or a date and time').argParser(instant),
    )
    .addOption(new Option('--until <when>', 'the same').argParser(instant))
    .option('--follow', 'go on with what happens, until interrupted')
    .option('--json', 'machine-readable; with --follow an object in each line')
    .option('--dir <dir>', 'read the files of vipd_history there, and ask no daemon')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        'Exit status: 0 done, 2 no daemon answers and none has left files, 3 no instance has that name.',
      ),
    )
    .action(async (name: string | undefined, given: Given) => {
      process.exitCode = await show(given, name ?? null)
    })

type Given = {
  readonly since?: number
  readonly until?: number
  readonly follow?: true
  readonly json?: true
  readonly dir?: string
  readonly runDir: string
}

function show(given: Given, name: string | null): Promise<number> {
  const { runDir, dir, since, until } = given
  return asking(async () => {
    const past = await pastTransitions({
      ...{ runDir, name },
      directory: dir ?? null,
      sinceMs: since ?? 0,
      untilMs: until ?? Number.MAX_SAFE_INTEGER,
    })
    for (const note of past.notes) process.stderr.write(`vipd: ${note}\n`)
    const { told, states } = past
    if (name !== null && told.length === 0 && !states.has(name)) {
      process.stderr.write(`vipd: no instance is called ${name}\n`)
      return exit.usage
    }
    if (given.follow === true && dir === undefined) return await goOn(given, name, told)
    process.stdout.write(
      given.json === true
        ? `${JSON.stringify(byInstance(told, states, name), null, 2)}\n`
        : formatHistory(told, Date.now()),
    )
    return exit.ok
  })
}

async function goOn(given: Given, name: string | null, told: readonly Told[]): Promise<number> {
  const textOf = (it: Told) =>
    given.json === true ? `${JSON.stringify(it)}\n` : formatHistory([it], null)
  process.stdout.write(told.map(textOf).join(''))
  const last = told.at(-1)?.at ?? new Date(given.since ?? Date.now()).toISOString()
  const line = (event: DaemonEvent) => {
    if (event.kind !== 'transition' || (name !== null && event.instance !== name)) return null
    const { kind: _always, number, ...rest } = event
    return textOf({ ...rest, ...(number === null ? {} : { number }) })
  }
  await follow({ socket: daemonSocket(given.runDir, 'read'), line, isNew: ({ at }) => at > last })
  return exit.ok
}

/** All instances in one sequence: what caused what is seen across instances. `now` is in milliseconds; null: without ages. */
export function formatHistory(told: readonly Told[], now: number | null): string {
  return told
    .map(({ instance, at, from, to, why }) => {
      const ago = now === null ? '' : `  ${`${age(now - Date.parse(at))} ago`.padStart(12)}`
      return `${at}${ago}  ${printable(instance)}  ${from} -> ${to}  ${printable(why)}\n`
    })
    .join('')
}

/** Milliseconds since 1970. */
function instant(text: string): number {
  const at = readInstant(text, Date.now())
  if (at !== null) return at
  throw new InvalidArgumentError('It must be a span like 1h, or a date like 2026-11-28T03:00.')
}
