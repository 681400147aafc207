/**
 * Script security: the one place that decides whether root may run a command, on whichever line it stands. What runs as
 * another user than root is that user's own matter; a module is loaded by the daemon, whatever user the check has.
 *
 * A file that the main one includes is looked at like a script when it names a program. The main file is not:
 * root names it when the daemon is started, and a user who may write it may also take enable_script_security out of it.
 */
import type { Command } from '../../base/command.ts'
import type { Lowering } from '../draft/report.ts'
import type { UserCommand } from '../user-command.ts'
import type { World } from '../world.ts'
import { filesOf } from './run-files.ts'
import { unsafePart } from './trusted-path.ts'

/** `what`: how messages call it; `tracked`: a check, which counts as failed when it cannot run. */
export type Secured = { readonly what: string; readonly tracked: boolean }

/** The command that may run: the given one, or with script security one that says why it may not. */
export function secured(told: Secured, use: UserCommand, lowering: Lowering): UserCommand {
  const { command, ...rest } = permitted(told, use, lowering)
  const program = command.kind === 'argv' || command.kind === 'shell'
  const confined = program && lowering.globals.options.get('scriptNoNewPrivs') === true
  return { ...rest, command: confined ? { ...command, noNewPrivs: true } : command }
}

function permitted({ what, tracked }: Secured, use: UserCommand, lowering: Lowering): UserCommand {
  const trusted = trustedFor(use, lowering.world)
  if (trusted === null) return use
  const { command, why } = checked(use.command, trusted, lowering.world)
  const unsafe = why ?? unsafeInclude(use, trusted, lowering)
  if (unsafe === null) return { ...use, command }
  const module = use.command.kind === 'module'
  if (lowering.globals.options.get('scriptSecurity') !== true) {
    const runs = module ? 'is loaded by the daemon' : 'runs as root'
    lowering.warning(use.place, 'unsafe-path', `${what} ${runs}, but ${unsafe}`)
    return use
  }
  const would = module ? 'would be loaded by the daemon' : 'would run as root'
  const message = `${what} ${would}, but ${unsafe}; script security forbids it`
  if (tracked) lowering.error(use.place, 'unsafe-path', `${message}, so it counts as failed`)
  else lowering.warning(use.place, 'unsafe-path', `${message}, so it will not run`)
  return { ...use, command: { kind: 'broken', why: `script security: ${unsafe}` } }
}

/** Whose files may be run; null: any user's, since none gains by it. */
function trustedFor({ command, runAs }: UserCommand, world: World): ReadonlySet<number> | null {
  if (command.kind === 'module') return new Set([0, world.uid])
  if (command.kind !== 'argv' && command.kind !== 'shell') return null
  return (runAs?.uid ?? world.uid) === 0 ? new Set([0]) : null
}

type Checked = { readonly command: Command; readonly why: string | null }

/**
 * A program that a link of another user leads to is run by its own name, as keepalived runs every one: the link is not
 * followed again.
 */
function checked(command: Command, trusted: ReadonlySet<number>, world: World): Checked {
  const why = unsafeFile(command, trusted, world)
  if (why === null) return { command, why }
  const real = withRealPath(command, world)
  return real !== null && unsafeFile(real, trusted, world) === null
    ? { command: real, why: null }
    : { command, why }
}

function unsafeFile(command: Command, trusted: ReadonlySet<number>, world: World): string | null {
  const { paths, unknown } = filesOf(command, world)
  for (const path of paths) {
    const unsafe = unsafePart(path, world, trusted)
    if (unsafe === null) continue
    return unsafe.startsWith(`${path} `) ? unsafe : `${unsafe} (on the way to ${path})`
  }
  return unknown
}

function withRealPath(command: Command, world: World): Command | null {
  if (command.kind === 'module') {
    const path = world.realpath(command.path)
    return path === null ? null : { ...command, path }
  }
  const [file, ...args] = command.kind === 'argv' ? command.argv : []
  const real = file === undefined ? null : world.realpath(file)
  return real === null ? null : { kind: 'argv', argv: [real, ...args] }
}

function unsafeInclude(
  { place }: UserCommand,
  trusted: ReadonlySet<number>,
  { world, mainFile }: Lowering,
): string | null {
  if (place.file === mainFile) return null
  const path = place.file.startsWith('/') ? place.file : world.realpath(place.file)
  const unsafe = path === null ? null : unsafePart(path, world, trusted)
  return unsafe === null ? null : `${place.file} names it, and ${unsafe}`
}
