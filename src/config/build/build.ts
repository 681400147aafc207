/**
 * Tree → configuration. global_defs first, wherever it stands; then the blocks in their order; then what
 * only the whole file shows: sync groups, double VRIDs, scripts that are not tracked. Everything is
 * diagnosed, not the first mistake only, and a configuration comes out only if the daemon would start.
 */

import type { Draft, GlobalDraft } from '../draft/draft.ts'
import { emptyDraft, globalDraft } from '../draft/draft.ts'
import { Lowering } from '../draft/report.ts'
import type { Tree } from '../language/tree-types.ts'
import type { Config, Diagnostic, Instance } from '../types.ts'
import type { World } from '../world.ts'
import { readBlocks, readIdentity, repairBlocks } from './blocks.ts'
import { finishGlobals } from './globals.ts'
import { byGroup, finishGroup, membership, weightsCount } from './group.ts'
import { finishInstance } from './instance.ts'
import { doubleVrids } from './instance-identity.ts'
import { finishScripts } from './scripts.ts'
import { finishStatics, withStaticInterfaces } from './statics.ts'
import { clashingLinks, linksOfDraft, nameVirtualLinks, ownLinkNames } from './virtual-links.ts'
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
  const globals = globalDraft()
  const lowering = new Lowering(world, globals, tree.files[0] ?? '')
  // No spread: a call takes a hundred thousand arguments at most.
  for (const diagnostic of tree.diagnostics) lowering.diagnostics.push(diagnostic)
  const nodes = repairBlocks(tree.nodes, lowering)
  readIdentity(nodes, lowering)
  for (const node of nodes) {
    if (node.keyword.text === 'global_defs' && node.block !== null) {
      walkBlock<GlobalDraft>('global_defs', node.block, globals, lowering)
    }
  }
  for (const later of lowering.afterGlobals) later()
  lowering.isOwnLink = ownLinkNames(nodes, globals)
  const draft = emptyDraft()
  readBlocks(nodes, draft, lowering)
  const partial = finish(draft, lowering)
  closing(tree, lowering)
  const fatal = lowering.diagnostics.some((d) => d.verdict === 'fatal' || d.verdict === 'operand')
  return { config: fatal ? null : partial, partial, diagnostics: lowering.diagnostics }
}

function finish(draft: Draft, lowering: Lowering): Config {
  const groupOf = membership(draft, lowering)
  const virtualLinks = nameVirtualLinks(draft.instances, lowering)
  const clashes = clashingLinks(virtualLinks)
  const instances = draft.instances.flatMap((instance) => {
    const group = groupOf.get(instance.name)
    instance.refused ??= group?.refused ?? null
    const clash = clashes.get(instance)
    if (clash !== undefined) instance.refused ??= { place: instance.place, why: clash }
    const weightsForbidden = group !== undefined && !weightsCount(group, lowering)
    const links = linksOfDraft(virtualLinks, instance)
    return finishInstance(instance, { weightsForbidden, links }, lowering) ?? []
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
  const bfd = [...lowering.sessions.values()]
  const globals = finishGlobals(settled, lowering)
  const statics = finishStatics(draft.statics, settled, lowering)
  const tracking = withStaticInterfaces(settled, draft, statics, lowering)
  return { globals, scripts, instances: tracking, groups, bfd, statics }
}

const isOwner = ({ stateMaster, priority }: Instance): boolean => stateMaster && priority === 255

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
