/**
 * Tree → configuration. global_defs first, wherever it stands; then the blocks in their order; then what
 * only the whole file shows: sync groups, double VRIDs, scripts that nobody tracks. Everything is
 * diagnosed, not the first mistake only, and a configuration comes out only if the daemon would start.
 */

import type { Command } from '../../base/command.ts'
import type { Draft, GlobalDraft, InstanceDraft, ScriptDraft } from '../draft/draft.ts'
import { globalDraft } from '../draft/draft.ts'
import { Lowering } from '../draft/report.ts'
import type { Tree } from '../language/tree-types.ts'
import { buildCommand } from '../scripts/command-user.ts'
import { secured } from '../scripts/security.ts'
import type {
  Config,
  Diagnostic,
  Fifo,
  Globals,
  Instance,
  Script,
  UserCommand,
  World,
} from '../types.ts'
import { readBlocks, repairBlocks } from './blocks.ts'
import { byGroup, finishGroup, membership } from './group.ts'
import { finishInstance } from './instance.ts'
import { doubleVrids } from './instance-identity.ts'
import { walkBlock } from './walk.ts'

export type Lowered = {
  /** null: the daemon would not start with this file. */
  readonly config: Config | null
  /** What of the file makes sense, to be shown; equal to `config` where that is not null. */
  readonly partial: Config
  readonly diagnostics: readonly Diagnostic[]
}

/** Gives the tree its meaning. `diagnostics` has those of the tree too. */
export function lower(tree: Tree, world: World): Lowered {
  const globals = globalDraft(world.hostname, world.environment['USER'] ?? 'root')
  const lowering = new Lowering(world, globals, tree.files[0] ?? '')
  // No spread: a call takes a hundred thousand arguments at most.
  for (const diagnostic of tree.diagnostics) lowering.diagnostics.push(diagnostic)
  const nodes = repairBlocks(tree.nodes, lowering)
  for (const node of nodes) {
    if (node.keyword.text === 'global_defs' && node.block !== null) {
      walkBlock<GlobalDraft>('global_defs', node.block, globals, lowering)
    }
  }
  for (const later of lowering.afterGlobals) later()
  const draft: Draft = { instances: [], groups: [] }
  readBlocks(nodes, draft, lowering)
  const partial = finish(draft, lowering)
  closing(tree, lowering)
  const fatal = lowering.diagnostics.some((d) => d.verdict === 'fatal' || d.verdict === 'operand')
  return { config: fatal ? null : partial, partial, diagnostics: lowering.diagnostics }
}

function finish(draft: Draft, lowering: Lowering): Config {
  const groupOf = membership(draft, lowering)
  const instances = draft.instances.flatMap((instance) => {
    const group = groupOf.get(instance.name)
    instance.refused ??= group?.refused ?? null
    const weightsForbidden = group !== undefined && !group.trackingWeight
    return finishInstance(instance, weightsForbidden, lowering) ?? []
  })
  const members = byGroup(instances, groupOf)
  const groups = draft.groups.flatMap(
    (group) => finishGroup(group, members.get(group) ?? [], lowering) ?? [],
  )
  reportDoubleVrids(instances, lowering)
  const ownerNames = new Set(instances.filter(isOwner).map(({ name }) => name))
  const owners = new Set(
    groups
      .filter((group) => group.members.some((name) => !ownerNames.has(name)))
      .flatMap(({ members }) => members),
  )
  const settled = instances.map((one) =>
    owners.has(one.name) ? { ...one, stateMaster: false } : one,
  )
  const scripts = finishScripts(draft.instances, settled, groups, lowering)
  return { globals: finishGlobals(lowering), scripts, instances: settled, groups }
}

const isOwner = ({ stateMaster, priority }: Instance): boolean => stateMaster && priority === 255

function finishScripts(
  drafts: readonly InstanceDraft[],
  instances: readonly Instance[],
  groups: Config['groups'],
  lowering: Lowering,
): readonly Script[] {
  const used = new Set(
    [...instances, ...groups].flatMap((one) => one.trackChecks.map((t) => t.name)),
  )
  const named = new Set(drafts.flatMap((one) => one.trackChecks.map((t) => t.name)))
  // Without an instance nothing is run, and nothing is said about what would be.
  if (drafts.length === 0) return []
  const scripts = [...lowering.scripts.values()].map((draft) => finishScript(draft, lowering))
  addMembers(used, scripts)
  for (const { name, place } of scripts.filter(
    (one) => !used.has(one.name) && !named.has(one.name),
  )) {
    const what = name.includes('/') ? name : `vrrp_script ${name}`
    lowering.warning(place, 'unused-script', `no instance tracks ${what}; it is not run`)
  }
  return scripts.filter((script) => used.has(script.name))
}

/** What a used check is made of is used. A check is made of checks that stand above it. */
function addMembers(used: Set<string>, scripts: readonly Script[]): void {
  for (const { name, run } of scripts.toReversed()) {
    const { command } = run
    if (command.kind === 'combination' && used.has(name))
      for (const one of command.of) used.add(one)
  }
}

function finishScript(draft: ScriptDraft, lowering: Lowering): Script {
  const run = draft.asks === null ? finishCommand(draft, lowering) : finishProbe(draft, lowering)
  return {
    name: draft.name,
    run,
    intervalUs: draft.intervalUs,
    timeoutUs: draft.timeoutUs ?? draft.intervalUs,
    fastIntervalUs: draft.fastIntervalUs,
    downIntervalUs: draft.downIntervalUs,
    jitter: draft.jitter,
    initialDelayUs: draft.initialDelayUs,
    weight: draft.weight,
    reverse: draft.reverse,
    rise: draft.rise,
    fall: draft.fall,
    initialValue: draft.initialValue,
    place: draft.place,
  }
}

function finishProbe(
  { name, asks, raw, commandPlace: place }: ScriptDraft,
  lowering: Lowering,
): UserCommand {
  const command: Command =
    asks === 'bad' || asks === null ? { kind: 'broken', why: 'the probe makes no sense' } : asks
  const use = { raw: raw ?? '', command, runAs: null, place }
  return secured({ what: `vrrp_script ${name}`, tracked: true }, use, lowering)
}

function finishCommand(draft: ScriptDraft, lowering: Lowering): UserCommand {
  return buildCommand(
    {
      what: `vrrp_script ${draft.name}`,
      text: draft.command,
      user: draft.user,
      badUser: draft.badUser,
      place: draft.commandPlace,
      tracked: true,
      userCounts: true,
    },
    lowering,
  )
}

/** Without a recipient or a server there is no mail. */
function finishMail(draft: GlobalDraft): Globals['mail'] {
  if (draft.mailTo.length === 0 || draft.mailServer === null) return null
  return {
    to: draft.mailTo,
    from: draft.mailFrom,
    server: draft.mailServer,
    port: draft.mailPort,
    helo: draft.mailHelo,
    connectTimeoutUs: draft.mailTimeoutUs,
  }
}

function finishGlobals(lowering: Lowering): Globals {
  const { globals: draft } = lowering
  const fifos = [...draft.fifos.values()].flatMap(({ fifo, script }): Fifo[] =>
    fifo === null ? [] : [{ ...fifo, script }],
  )
  const { startupScript: startup, shutdownScript: shutdown } = draft
  return {
    routerId: draft.routerId,
    mail: finishMail(draft),
    noEmailFaults: draft.noEmailFaults,
    scriptSecurity: draft.scriptSecurity,
    notifyFifos: fifos,
    fifoStatesOnReload: draft.fifoStatesOnReload,
    startupScript:
      startup === null ? null : { command: startup, timeoutUs: draft.startupTimeoutUs },
    shutdownScript:
      shutdown === null ? null : { command: shutdown, timeoutUs: draft.shutdownTimeoutUs },
    startupDelayUs: draft.startupDelayUs,
    dynamicInterfaces: lowering.dynamicInterfaces,
    logUnknownVrids: draft.logUnknownVrids,
    realtimePriority: draft.realtimePriority,
    rttimeUs: draft.rttimeUs,
    nice: draft.nice,
    noSwap: draft.noSwap,
    scriptNoNewPrivs: draft.scriptNoNewPrivs,
    livenessUs: draft.livenessUs,
    addressLifetimeSeconds: draft.addressLifetimeSeconds,
  }
}

function reportDoubleVrids(instances: readonly Instance[], lowering: Lowering): void {
  for (const { one, message } of doubleVrids(instances))
    lowering.refuse(one.place, 'double-vrid', message)
}

/** What holds for the file as a whole, said once at its end. */
function closing(tree: Tree, lowering: Lowering): void {
  const { insecureProcessScript, insecureScript, interfaceMissing, refusals } = lowering
  const insecure = insecureProcessScript ?? (interfaceMissing ? null : insecureScript)
  if (insecure !== null) {
    const message =
      'scripts are run although enable_script_security is not set: a script that others may change runs unhindered'
    lowering.report(insecure, 'warning', 'script-security', message, 'security')
  }
  if (refusals === 0) return
  const place = { file: tree.files[0] ?? '', line: 0, column: 0 }
  const message = `the daemon would not start with this file: ${refusals} of the errors above ${refusals === 1 ? 'prevents' : 'prevent'} it`
  lowering.report(place, 'error', 'cannot-start', message, 'fatal')
}
