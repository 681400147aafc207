/**
 * `vipd check`, start and reload all come through here: from a path to a configuration, or to the reasons
 * why there is none. The exit status is the one that `keepalived -t` would have for the same file.
 */

import { lower } from '../build/build.ts'
import { formatDiagnostic } from '../language/diagnostics.ts'
import { type Identified, identify } from '../language/identity.ts'
import { parseTree } from '../language/tree.ts'
import type { LanguageOptions } from '../language/tree-types.ts'
import { describeCommand } from '../scripts/command.ts'
import type { Config, Diagnostic, Instance, Script } from '../types.ts'
import type { UserCommand } from '../user-command.ts'
import type { World } from '../world.ts'
import { lint, scriptUsers } from './lint.ts'
import { describeUser, printConfig } from './print.ts'
import { arithmetic, describeArithmetic, downIntervalUs, skewUs } from './print-arithmetic.ts'

export type CheckReport = {
  /** 0 good; 2 an operand is missing; 4 cannot be read; 5 mistakes; 6 script security only. */
  readonly exit: 0 | 2 | 4 | 5 | 6
  readonly diagnostics: readonly Diagnostic[]
  /** The first `max` of them, with what recognises each in another version of the file. */
  identified(max: number): readonly Identified[]
  /** null: the daemon would not start. Not the same as exit: keepalived says 5 for both. */
  readonly config: Config | null
  /** For people; ends with a newline. */
  readonly text: string
  /** For programs, schema 1. */
  readonly json: unknown
}

/** Reads, judges and describes the configuration at `path`. Touches nothing, asks only the world. */
export function checkReport(path: string, world: World, options: LanguageOptions): CheckReport {
  const tree = parseTree(path, world, options)
  const { config, partial, diagnostics: found } = lower(tree, world)
  const diagnostics = inOrder([...found, ...lint(partial, world)], tree.files)
  const exit = keepalivedStatus(diagnostics)
  return {
    exit,
    diagnostics,
    config,
    identified: (max) => identify(diagnostics.slice(0, max), tree.nodes),
    // A start and a reload ask for neither.
    get text() {
      return reportText(path, diagnostics, config, partial, world, exit)
    },
    get json() {
      return reportJson(path, diagnostics, config, partial, world, exit)
    },
  }
}

/**
 * keepalived keeps the largest of its error numbers, and its numbers fall with their weight: script
 * security hides mistakes, mistakes hide what is fatal. A missing operand ends its parser on the spot.
 */
export function keepalivedStatus(diagnostics: readonly Diagnostic[]): CheckReport['exit'] {
  const has = (verdict: Diagnostic['verdict']) => diagnostics.some((d) => d.verdict === verdict)
  if (has('operand')) return 2
  if (has('security')) return 6
  if (has('config')) return 5
  return has('fatal') ? 4 : 0
}

/** By file in the order of reading, then by line; what concerns a file as a whole comes last. */
function inOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const order = new Map(files.map((file, i) => [file, i]))
  const rank = ({ place }: Diagnostic) =>
    place.line === 0 ? files.length : (order.get(place.file) ?? -1)
  return [...diagnostics].sort(
    (a, b) => rank(a) - rank(b) || a.place.line - b.place.line || a.place.column - b.place.column,
  )
}

function reportText(
  path: string,
  diagnostics: readonly Diagnostic[],
  config: Config | null,
  partial: Config,
  world: World,
  exit: CheckReport['exit'],
): string {
  const parts = [
    diagnostics.map(formatDiagnostic).join('\n'),
    printConfig(partial, world),
    summary(path, diagnostics, config, exit),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function summary(
  path: string,
  diagnostics: readonly Diagnostic[],
  config: Config | null,
  exit: CheckReport['exit'],
): string {
  const count = (severity: Diagnostic['severity'], noun: string): string[] => {
    const n = diagnostics.filter((d) => d.severity === severity).length
    return n === 0 ? [] : [`${n} ${noun}${n === 1 ? '' : 's'}`]
  }
  const counts = [
    ...count('error', 'error'),
    ...count('warning', 'warning'),
    ...count('note', 'note'),
  ]
  const found = counts.length === 0 ? 'nothing to remark' : counts.join(', ')
  return `${path}: ${found}; ${outcomeOf(diagnostics, config, exit)} (exit ${exit})`
}

function outcomeOf(
  diagnostics: readonly Diagnostic[],
  config: Config | null,
  exit: CheckReport['exit'],
): string {
  if (config === null) return 'the daemon would not start'
  const lost = exit === 0 && diagnostics.some(({ verdict }) => verdict === 'lost')
  return lost ? 'runs, though part of what is written has no effect' : outcomes[exit]
}

const outcomes: Readonly<Record<CheckReport['exit'], string>> = {
  0: 'ready to run',
  2: 'the daemon would not start',
  4: 'the daemon would not start',
  5: 'runs, without what is wrong',
  6: 'runs, but scripts are not secured',
}

function reportJson(
  path: string,
  diagnostics: readonly Diagnostic[],
  config: Config | null,
  partial: Config,
  world: World,
  exit: CheckReport['exit'],
): unknown {
  return {
    schema: 1,
    path,
    exit,
    runs: config !== null,
    diagnostics: diagnostics.map(({ place, ...rest }) => ({ ...place, ...rest })),
    globals: partial.globals,
    groups: partial.groups,
    instances: partial.instances.map((instance) => instanceJson(instance, partial)),
    scripts: partial.scripts.map((script) => scriptJson(script, partial, world)),
    statics: partial.statics,
  }
}

/** Every effective value and what follows from them; the password and the keys are not shown. */
function instanceJson(instance: Instance, config: Config): unknown {
  const sums = arithmetic(instance, config)
  return {
    ...instance,
    password: instance.password === null ? null : '********',
    ahKey: instance.ahKey === null ? null : '********',
    hmac: instance.hmac && {
      ...instance.hmac,
      keys: instance.hmac.keys.map(({ id }) => ({ id, secret: '********' })),
    },
    lowestPriority: sums.lowest,
    highestPriority: sums.highest,
    priorityArithmetic: describeArithmetic(sums),
    skewUs: skewUs(instance, instance.priority),
    downIntervalUs: downIntervalUs(instance, instance.priority),
  }
}

/** Private keys are not shown. */
function withoutKeys(run: UserCommand): UserCommand {
  const { command } = run
  if (command.kind !== 'probe' || !('tls' in command.probe)) return run
  const { probe } = command
  if (probe.tls?.client == null) return run
  const client = { ...probe.tls.client, key: '********' }
  return { ...run, command: { kind: 'probe', probe: { ...probe, tls: { ...probe.tls, client } } } }
}

const scriptJson = (script: Script, config: Config, world: World): unknown => ({
  ...script,
  run: withoutKeys(script.run),
  how: describeCommand(script.run.command),
  as: describeUser(script.run.runAs, world),
  usedBy: scriptUsers(config, script.name),
})
