/** The blocks of the file itself: each opens a draft, is read into it, and is closed with what must be there. */

import { bfdDraft } from '../draft/bfd.ts'
import type { Draft, ScriptDraft, TrackGroupDraft } from '../draft/draft.ts'
import { groupDraft, instanceDraft, scriptDraft } from '../draft/draft.ts'
import { type GarpGroupDraft, garpGroupDraft } from '../draft/garp-group.ts'
import type { Lowering } from '../draft/report.ts'
import { fileDraft, processDraft } from '../draft/trackers.ts'
import { readArguments } from '../grammar/arguments.ts'
import type { BlockName } from '../grammar/entries.ts'
import { isIdentityKeyword } from '../keywords/identity.ts'
import { findKeyword } from '../keywords/table.ts'
import type { Node } from '../language/tree-types.ts'
import { addBfd } from './bfd.ts'
import { addGarpGroup } from './garp-group.ts'
import { addTrackedFile, addTrackedProcess } from './trackers.ts'
import { walkBlock, walkLine } from './walk.ts'

/**
 * A block outside all others whose `{` is missing: the lines after it that belong into such a block are
 * taken as its lines, as keepalived does. Its `}` has been reported already.
 */
export function repairBlocks(nodes: readonly Node[], lowering: Lowering): readonly Node[] {
  const repaired: Node[] = []
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]
    if (node === undefined) break
    const inner = findKeyword('root', node.keyword.text)?.inner
    const end = inner === undefined || node.block !== null ? i : lastLineOf(inner, nodes, i)
    if (end === i || inner === undefined) {
      repaired.push(node)
      continue
    }
    const message = `'{' is missing after ${node.keyword.text}; the lines below are taken as its block`
    lowering.error(node.place, 'missing-block', message)
    repaired.push({ ...node, block: nodes.slice(i + 1, end + 1), opened: node.place })
    i = end
  }
  return repaired
}

/** Index of the last of the following nodes that are keywords of the block and not of the file. */
function lastLineOf(inner: BlockName, nodes: readonly Node[], from: number): number {
  let end = from
  const belongs = (name: string) =>
    findKeyword('root', name) === undefined && findKeyword(inner, name) !== undefined
  while (belongs(nodes[end + 1]?.keyword.text ?? '')) end++
  return end
}

/** Which daemon this is, and in which network namespace: before an interface is named. */
export function readIdentity(nodes: readonly Node[], lowering: Lowering): void {
  const { globals, world } = lowering
  const written = new Set<string>()
  for (const node of nodes)
    if (isIdentityKeyword(node.keyword.text)) walkLine('root', node, globals, lowering, written)
  const namespace = globals.identity.get('netNamespace') ?? null
  const place = globals.identity.placeOf('netNamespace')
  if (namespace === null || place === undefined) return
  const code = world.useNamespace(namespace)
  if (code === null) return
  if (code === 'EPERM' || code === 'EACCES') {
    const message = `the interfaces in network namespace ${namespace} are not known to this user (${code}): they are not checked`
    lowering.note(place, 'namespace-not-checked', message)
    return
  }
  const message = `there is no network namespace ${namespace} (${code}): the daemon would not start`
  lowering.report(place, 'error', 'no-namespace', message, 'fatal')
}

type Reader = (node: Node, draft: Draft, lowering: Lowering) => void

const readers: Readonly<Record<string, Reader>> = {
  vrrp_script: (node, _draft, lowering) => readScript(node, lowering),
  vrrp_track_process: (node, _draft, lowering) => readProcess(node, lowering),
  track_file: (node, _draft, lowering) => readFile(node, lowering),
  vrrp_track_file: (node, _draft, lowering) => readFile(node, lowering),
  bfd_instance: (node, _draft, lowering) => readBfd(node, lowering),
  garp_group: (node, _draft, lowering) => readGarpGroup(node, lowering),
  vrrp_instance: readInstance,
  vrrp_sync_group: readGroup,
  track_group: readTrackGroup,
  static_ipaddress: readStatics,
  static_routes: readStatics,
  static_rules: readStatics,
}

/** Reads everything outside global_defs that is not read before it, in the order of the file. */
export function readBlocks(nodes: readonly Node[], draft: Draft, lowering: Lowering): void {
  for (const node of nodes) {
    const keyword = node.keyword.text
    if (keyword === 'global_defs' && node.block !== null) continue
    if (isIdentityKeyword(keyword)) continue
    const read = Object.hasOwn(readers, keyword) ? readers[keyword] : undefined
    if (read !== undefined) read(node, draft, lowering)
    else walkLine<null>('root', node, null, lowering)
  }
}

/** The name and the lines of a named block; null when it is skipped, with a message. */
function opened(
  block: BlockName,
  node: Node,
  onlyName: boolean,
  lowering: Lowering,
): { readonly name: string; readonly lines: readonly Node[] } | null {
  const entry = findKeyword('root', block)
  if (entry === undefined) return null
  const values = readArguments(entry, node, lowering)
  if (values === null) return null
  const surplus = node.args[1]
  if (surplus !== undefined) {
    const message = `${block} takes one name, not also ${surplus.text}`
    if (onlyName) {
      lowering.error(surplus, 'extra-words', `${message}; the block is skipped`)
      return null
    }
    lowering.lost(surplus, 'extra-words', `${message}; it is ignored`)
  }
  if (node.block === null) {
    lowering.error(node.place, 'missing-block', `${block} needs a block { … }; the line is ignored`)
    return null
  }
  return { name: String(values[0]), lines: node.block }
}

function readScript(node: Node, lowering: Lowering): void {
  const block = opened('vrrp_script', node, false, lowering)
  if (block === null) return
  const draft = scriptDraft(block.name, node.place)
  walkBlock<ScriptDraft>('vrrp_script', block.lines, draft, lowering)
  const before = lowering.scripts.get(draft.name)
  const asks = draft.asks !== null || draft.command.trim() !== ''
  if (draft.raw === null || !asks) {
    lowering.error(
      node.place,
      'missing-script',
      `vrrp_script ${draft.name} has no script; it is ignored`,
    )
  } else if (before !== undefined) {
    const message = `vrrp_script ${draft.name} is defined twice (first in line ${before.place.line}); this one is ignored`
    lowering.lost(node.place, 'duplicate', message)
  } else lowering.scripts.set(draft.name, draft)
}

function readProcess(node: Node, lowering: Lowering): void {
  const block = opened('vrrp_track_process', node, false, lowering)
  if (block === null) return
  const draft = processDraft()
  walkBlock('vrrp_track_process', block.lines, draft, lowering)
  addTrackedProcess(block.name, draft, node, lowering)
}

function readFile(node: Node, lowering: Lowering): void {
  if (node.keyword.text !== 'track_file') {
    const message = `${node.keyword.text} is an old keyword; today it is track_file`
    lowering.warning(node.place, 'deprecated', message)
  }
  const block = opened('track_file', node, false, lowering)
  if (block === null) return
  const draft = fileDraft()
  walkBlock('track_file', block.lines, draft, lowering)
  addTrackedFile(block.name, draft, node, lowering)
}

function readBfd(node: Node, lowering: Lowering): void {
  const block = opened('bfd_instance', node, false, lowering)
  if (block === null) return
  const draft = bfdDraft()
  walkBlock('bfd_instance', block.lines, draft, lowering)
  addBfd(block.name, draft, node, lowering)
}

/** It has no name; a word behind the keyword is passed over. */
function readGarpGroup(node: Node, lowering: Lowering): void {
  if (node.block === null) {
    lowering.error(
      node.place,
      'missing-block',
      'garp_group needs a block { … }; the line is ignored',
    )
    return
  }
  const draft = garpGroupDraft()
  walkBlock<GarpGroupDraft>('garp_group', node.block, draft, lowering)
  addGarpGroup(draft, node, lowering)
}

function readInstance(node: Node, draft: Draft, lowering: Lowering): void {
  const block = opened('vrrp_instance', node, true, lowering)
  if (block === null) return
  const before = lowering.listed.before(draft.instances, block.name, node.place)
  if (before !== null) {
    const message = `vrrp_instance ${block.name} is defined twice (first in line ${before.line}); this one is skipped`
    lowering.error(node.place, 'duplicate', message)
    return
  }
  const instance = instanceDraft(block.name, node.place)
  draft.instances.push(instance)
  walkBlock('vrrp_instance', block.lines, instance, lowering)
}

function readGroup(node: Node, draft: Draft, lowering: Lowering): void {
  const block = opened('vrrp_sync_group', node, true, lowering)
  if (block === null) return
  if (lowering.listed.before(draft.groups, block.name, node.place) !== null) {
    const message = `vrrp_sync_group ${block.name} is defined twice; this one is skipped`
    lowering.error(node.place, 'duplicate', message)
    return
  }
  const group = groupDraft(block.name, node.place)
  draft.groups.push(group)
  walkBlock('vrrp_sync_group', block.lines, group, lowering)
}

/** The first of a name counts. */
function readTrackGroup(node: Node, draft: Draft, lowering: Lowering): void {
  const block = opened('track_group', node, true, lowering)
  if (block === null) return
  const { trackGroups } = draft.statics
  if (trackGroups.has(block.name)) {
    const message = `track_group ${block.name} is defined twice; this one is skipped`
    lowering.error(node.place, 'duplicate', message)
    return
  }
  const group: TrackGroupDraft = { name: block.name, place: node.place, members: null }
  walkBlock('track_group', block.lines, group, lowering)
  if (group.members === null || group.members.length === 0) {
    const message = `track_group ${block.name} has no instance; it tracks nothing`
    if (group.members === null) lowering.lost(node.place, 'empty-group', message)
    else lowering.error(node.place, 'empty-group', message)
  }
  trackGroups.set(block.name, group)
}

function readStatics(node: Node, draft: Draft, lowering: Lowering): void {
  walkLine<Draft>('root', node, draft, lowering)
}
