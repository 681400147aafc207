/**
 * `vipd history`: when each instance changed state, and why, and which other machines claimed its addresses, over restarts of
 * the daemon. Oldest first, as a log reads. Told by the daemon while it runs; by its files while it does not.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { type DaemonEvent, eventText } from '../report/event.ts'
import { readInstant } from '../report/instant.ts'
import { type AllTold, byInstance, type Told } from '../report/past.ts'
import { type KeptClaim, pastClaimText } from '../report/past-claim.ts'
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
    .description(
      'transitions of every instance, or of one, and why, and claims of its addresses, over restarts',
    )
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
    const { told, claims, states } = past
    if (name !== null && told.length + claims.length === 0 && !states.has(name)) {
      process.stderr.write(`vipd: no instance is called ${name}\n`)
      return exit.usage
    }
    if (given.follow === true && dir === undefined) return await goOn(given, name, past)
    process.stdout.write(
      given.json === true
        ? `${JSON.stringify(byInstance(past, states, name), null, 2)}\n`
        : formatHistory(past, Date.now()),
    )
    return exit.ok
  })
}

async function goOn(given: Given, name: string | null, past: AllTold): Promise<number> {
  const textOf = (it: Told | ClaimTold) =>
    given.json === true ? `${JSON.stringify(it)}\n` : lineOf(it, null)
  const told = inSequence(past)
  process.stdout.write(told.map(textOf).join(''))
  const last = told.at(-1)?.at ?? new Date(given.since ?? Date.now()).toISOString()
  const line = (event: DaemonEvent) => {
    if (event.kind !== 'transition' && event.kind !== 'claim') return null
    if (name !== null && event.instance !== name) return null
    if (event.kind === 'claim') {
      const { number: _none, ...claim } = event
      const { at, instance } = claim
      const line = `${at}  ${printable(instance)}  ${printable(eventText(event))}\n`
      return given.json === true ? `${JSON.stringify(claim)}\n` : line
    }
    const { kind: _always, number, ...rest } = event
    return textOf({ ...rest, ...(number === null ? {} : { number }) })
  }
  await follow({ socket: daemonSocket(given.runDir, 'read'), line, isNew: ({ at }) => at > last })
  return exit.ok
}

/** `kind`: what a transition has not got. */
type ClaimTold = KeptClaim & { readonly kind: 'claim' }

/** Those of one millisecond: transitions first. */
const inSequence = ({ told, claims }: AllTold): readonly (Told | ClaimTold)[] =>
  [...told, ...claims.map((it): ClaimTold => ({ kind: 'claim', ...it }))].sort(
    (a, b) => Date.parse(a.at) - Date.parse(b.at),
  )

/** All instances in one sequence: what caused what is seen across instances. `now` is in milliseconds; null: without ages. */
export const formatHistory = (all: AllTold, now: number | null): string =>
  inSequence(all)
    .map((it) => lineOf(it, now))
    .join('')

function lineOf(it: Told | ClaimTold, now: number | null): string {
  const ago = now === null ? '' : `  ${`${age(now - Date.parse(it.at))} ago`.padStart(12)}`
  const what = 'kind' in it ? pastClaimText(it) : `${it.from} -> ${it.to}  ${it.why}`
  return `${it.at}${ago}  ${printable(it.instance)}  ${printable(what)}\n`
}

/** Milliseconds since 1970. */
function instant(text: string): number {
  const at = readInstant(text, Date.now())
  if (at !== null) return at
  throw new InvalidArgumentError('It must be a span like 1h, or a date like 2026-11-28T03:00.')
}
