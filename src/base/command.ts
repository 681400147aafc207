import type { Probe } from './probe.ts'

/** How a configured command will be carried out; decided once, when the configuration is loaded. */
export type Command =
  /** execve without a shell; argv[0] is an absolute path. */
  | ({ readonly kind: 'argv'; readonly argv: readonly string[] } & Confined)
  /** The whole text goes to a shell (an absolute path) after `-c`. */
  | ({ readonly kind: 'shell'; readonly shell: string; readonly text: string } & Confined)
  /** In-process: is a process of that name alive, by the matching rules of the named tool. */
  | {
      readonly kind: 'process'
      readonly like: 'killall' | 'pidof' | 'pgrep'
      readonly name: string
    }
  /** In-process: do as many processes match as there should be. */
  | ({ readonly kind: 'processes' } & ProcessesWanted)
  /** In-process: does a service answer as it should. */
  | { readonly kind: 'probe'; readonly probe: Probe }
  /** In-process: is a file as it should be. */
  | ({ readonly kind: 'file' } & FileWanted)
  /** In-process: the number that a file holds; 0 is good. */
  | { readonly kind: 'value'; readonly path: string }
  /** In a worker thread of its own: the default export of an ES module. `digest` tells versions of the file apart. */
  | { readonly kind: 'module'; readonly path: string; readonly digest: string }
  /** Its results are pushed; silence for an interval is a failure. */
  | { readonly kind: 'push' }
  /** Of these other checks at least `least` are good. */
  | { readonly kind: 'combination'; readonly least: number; readonly of: readonly string[] }
  /** Cannot be run at all; a check that cannot run has failed. `why` is what the operator reads. */
  | { readonly kind: 'broken'; readonly why: string }

/** `vipd_script_no_new_privs`: no program that it starts has more rights than itself. */
type Confined = { readonly noNewPrivs?: true }

/** Which processes count, and how many there should be: keepalived's `vrrp_track_process`. */
export type ProcessesWanted = {
  /** The kernel's name for it, of which 15 octets count; with `full` argv[0]. */
  readonly name: string
  readonly full: boolean
  /** The arguments after argv[0]; null: any. */
  readonly parameters: readonly string[] | null
  /** How they compare: all and equal; the first of them; the first, and the last of those by its beginning. */
  readonly match: 'exact' | 'initial' | 'partial'
  readonly least: number
  readonly most: number
  /** A change counts when it has lasted so long: of gaining the quorum, and of losing it. */
  readonly gainDelayMs: number
  readonly lossDelayMs: number
}

export type FileWanted = {
  readonly path: string
  /** Also opened for reading. */
  readonly readable: boolean
  /** Changed at most so long ago; null: whenever. */
  readonly fresherMs: number | null
  /** A pattern in its first mebibyte; null: whatever. */
  readonly content: string | null
}

/** Numeric identity that a command runs under; null means the daemon's own. */
export type RunAs = {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[] | null
}
