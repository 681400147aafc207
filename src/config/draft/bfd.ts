/** `bfd_instance` while it is read. */
import type { BfdOptions } from '../types.ts'
import { Written } from './written.ts'

export type BfdDraft = {
  readonly options: Written<BfdOptions>
  weight: number
  reverse: boolean
}

export const bfdDraft = (): BfdDraft => ({ options: new Written(), weight: 0, reverse: false })
