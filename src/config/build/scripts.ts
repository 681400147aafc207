/** Checks: what is run, how often, and which of them no instance needs. */
import type { Command } from '../../base/command.ts'
import type { InstanceDraft, ScriptDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { settlePlain } from '../grammar/settle.ts'
import { scriptOptions } from '../keywords/script.ts'
import { buildCommand } from '../scripts/command-user.ts'
import { secured } from '../scripts/security.ts'
import type { Config, Instance, Script } from '../types.ts'
import type { UserCommand } from '../user-command.ts'

export function finishScripts(
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
    ...settlePlain(scriptOptions, draft.options, lowering),
    weight: draft.weight,
    reverse: draft.reverse,
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
