/** What the configuration asks of the machine. */
import type { Ip } from '../base/ip.ts'

/** What a file holds, or why it was not read. `limit`: it is there, and larger than may be read. */
export type FileText = { readonly text: string } | { readonly why: string; readonly limit: boolean }

export type ForeignAddress = { readonly address: Ip; readonly prefixLength: number }

/**
 * What the parser asks of the machine, injected so that config/ stays pure. A test gives a table.
 */
export type World = {
  readFile(path: string): FileText
  /**
   * Files that a pattern with *, ?, [ ] matches (braces are expanded by the parser), sorted. null: it reaches
   * more names than may be looked at.
   */
  glob(pattern: string): readonly string[] | null
  readonly hostname: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** 0 ≤ n < 1, for ${_RANDOM}. */
  random(): number
  /**
   * The interfaces that are asked about from now on are those of this network namespace. null, or why they cannot be: the
   * errno's name. What cannot be asked is taken as it is written.
   */
  useNamespace(name: string): string | null
  interfaceExists(name: string): boolean
  interfaceMulticast(name: string): boolean
  /** The file system there is mounted so that nothing can be written (EROFS). */
  readOnly(path: string): boolean
  /** null: not known, as of an interface that is absent. */
  interfaceMtu(name: string, family: 4 | 6): number | null
  /** On the interface, and put there by no VRRP daemon; empty where it is not known. */
  foreignAddresses(name: string): readonly ForeignAddress[]
  user(
    name: string,
  ): { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } | null
  group(name: string): number | null
  /** lstat-like facts after symlinks are resolved; null when nothing is there. */
  stat(path: string): {
    readonly kind: 'file' | 'directory' | 'other'
    readonly mode: number
    readonly uid: number
    readonly gid: number
  } | null
  realpath(path: string): string | null
  /** Where a symbolic link points, as it is written; null for everything else. */
  readlink(path: string): string | null
  /** The first line of a regular file, of at most 255 octets as the kernel reads it; null: cannot be read. */
  firstLine(path: string): string | null
  readonly uid: number
  readonly path: readonly string[]
}
