/** A reload as a value: what to add, remove and alter to get from what runs to what is wanted. */
import type { Instance } from './types.ts'

export type Change<T> =
  | { readonly kind: 'add'; readonly name: string; readonly to: T }
  | { readonly kind: 'remove'; readonly name: string; readonly from: T }
  | { readonly kind: 'alter'; readonly name: string; readonly from: T; readonly to: T }

/** Removals first, so that what they hold is free; then the order of `wanted`. What is `same` is no change. */
export function diff<T>(
  running: ReadonlyMap<string, T>,
  wanted: ReadonlyMap<string, T>,
  same: (a: T, b: T) => boolean,
): readonly Change<T>[] {
  const changes: Change<T>[] = []
  for (const [name, from] of running) {
    if (!wanted.has(name)) changes.push({ kind: 'remove', name, from })
  }
  for (const [name, to] of wanted) {
    const from = running.get(name)
    if (from === undefined) changes.push({ kind: 'add', name, to })
    else if (!same(from, to)) changes.push({ kind: 'alter', name, from, to })
  }
  return changes
}

/**
 * What makes an instance the same one after a reload, as in keepalived: VRID, family, interface and
 * transport, with the group or the unicast source. The name is free to change.
 */
export function instanceKey(instance: Instance): string {
  const { vrid, family, interface: link, transport } = instance
  const end = transport.kind === 'multicast' ? transport.group : (transport.source ?? 'any')
  return `${vrid}/IPv${family}/${link ?? '-'}/${transport.kind}/${end}`
}
