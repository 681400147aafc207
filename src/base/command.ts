import type { Probe } from './probe.ts'

/** How a configured command will be carried out; decided once, when the configuration is loaded. */
export type Command =
  /** execve without a shell; argv[0] is an absolute path. */
  | { readonly kind: 'argv'; readonly argv: readonly string[] }
  /** The whole text goes to a shell (an absolute path) after `-c`. */
  | { readonly kind: 'shell'; readonly shell: string; readonly text: string }
  /** In-process: is a process of that name alive, by the matching rules of the named tool. */
  | {
      readonly kind: 'process'
      readonly like: 'killall' | 'pidof' | 'pgrep'
      readonly name: string
    }
  /** In-process: does a service answer as it should. */
  | { readonly kind: 'probe'; readonly probe: Probe }
  /** Cannot be run at all; a check that cannot run has failed. `why` is what the operator reads. */
  | { readonly kind: 'broken'; readonly why: string }

/** Numeric identity that a command runs under; null means the daemon's own. */
export type RunAs = {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[] | null
}
