/** Which instances are shown: those in which every word that is typed is found. */
import type { StatusInstance } from '../../report/status.ts'

export type Filterable = Pick<
  StatusInstance,
  'name' | 'state' | 'interface' | 'vrid' | 'addresses' | 'standsBy'
>

/** In lower case, once each. */
export const wordsOf = (text: string): readonly string[] => [
  ...new Set(text.toLowerCase().split(/\s+/).filter(Boolean)),
]

/** A word is a part of the name, the state, the interface or an address, or `vrid:51`. */
export function matches(words: readonly string[], it: Filterable): boolean {
  const own = [
    it.name,
    it.state,
    it.interface ?? '',
    `vrid:${it.vrid}`,
    it.standsBy === null ? '' : 'stands-by',
    ...it.addresses.map(({ address }) => address),
  ].map((text) => text.toLowerCase())
  return words.every((word) =>
    word.startsWith('vrid:') ? own.includes(word) : own.some((text) => text.includes(word)),
  )
}
