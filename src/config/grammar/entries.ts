/**
 * What one line of the keyword table says. An entry is complete: the same object checks the arguments,
 * fills the draft that becomes the configuration, and writes its own paragraph in docs/configuration.md.
 * Plain options (option.ts) are declared in a shorter form, from which such an entry is made.
 */
import type { Ip } from '../../base/ip.ts'
import type { BfdDraft } from '../draft/bfd.ts'
import type {
  Draft,
  GlobalDraft,
  GroupDraft,
  InstanceDraft,
  ScriptDraft,
  TrackGroupDraft,
} from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { FileDraft, ProcessDraft } from '../draft/trackers.ts'
import type { Node } from '../language/tree-types.ts'

/** A block whose lines are keywords. 'root' is the file itself. */
export type BlockName =
  | 'root'
  | 'global_defs'
  | 'vrrp_script'
  | 'vrrp_instance'
  | 'authentication'
  | 'auth_hmac'
  | 'vrrp_sync_group'
  | 'track_file'
  | 'vrrp_track_process'
  | 'bfd_instance'
  | 'garp_group'
  | 'track_group'
  | BalancerBlock

/** Blocks of the load balancer, which vipd reads and does not act on. */
type BalancerBlock =
  | 'virtual_server'
  | 'real_server'
  | 'HTTP_GET'
  | 'SSL_GET'
  | 'TCP_CHECK'
  | 'SMTP_CHECK'
  | 'DNS_CHECK'
  | 'MISC_CHECK'
  | 'PING_CHECK'
  | 'UDP_CHECK'
  | 'BFD_CHECK'
  | 'FILE_CHECK'
  | 'url'
  | 'host'
  | 'SSL'

/**
 * - supported: does what the text says;
 * - recognised: the arguments are checked, then a warning says that this version does not act on it;
 * - ignored: belongs to another part of keepalived, harmless here.
 */
export type KeywordStatus = 'supported' | 'recognised' | 'ignored'

type Optional = { readonly name: string; readonly optional?: true }

/** One word after the keyword. Ranges are inclusive. */
export type Argument = Optional &
  (
    | {
        readonly kind: 'integer'
        readonly min: number
        readonly max: number
        /** What a 0 that is out of range is replaced by, with a message. */
        readonly zeroIs?: number
        /** A number out of range becomes the nearest bound, with a message. */
        readonly clamp?: true
      }
    | {
        readonly kind: 'decimal'
        readonly min: number
        readonly max: number
        readonly places: number
        readonly zeroIs?: number
      }
    /** on/true/yes or off/false/no; absent means on. */
    | {
        readonly kind: 'switch'
        /** Any other word means on too, as in keepalived; it is warned of. */
        readonly otherwiseOn?: true
      }
    | { readonly kind: 'choice'; readonly values: readonly string[] }
    | { readonly kind: 'address'; readonly family?: 4 | 6; readonly multicast?: true }
    /** `absolute`: a path from the root, for what is used when the working directory is another; `part`: one name of a path. */
    | {
        readonly kind: 'text'
        readonly absolute?: true
        readonly part?: true
        readonly matching?: { readonly pattern: RegExp; readonly why: string }
      }
    | { readonly kind: 'interface' }
    /** A command in one (quoted) word, and after it `user [group]`. Parsed by command.ts. */
    | { readonly kind: 'command' }
    /** user [group], each checked to exist. */
    | { readonly kind: 'user' }
    /** Everything else on the line, unchecked. */
    | { readonly kind: 'words' }
  )

export type Value = number | string | boolean | Ip

/** The arguments of one line after checking; a missing optional one is undefined. */
export type Values = readonly (Value | undefined)[]

export type Entry<T> = {
  readonly name: string
  readonly block: BlockName
  readonly status: KeywordStatus
  readonly args: readonly Argument[]
  /**
   * line: no braces follow; block: keywords of `inner` follow; entries: values follow, one per line; options: what
   * does not stand on the line may follow in braces, one per line.
   */
  readonly form: 'line' | 'block' | 'entries' | 'options'
  readonly inner?: BlockName
  /** What a missing required argument is to `vipd check`: exit status 2 or 5. */
  readonly missing: 'operand' | 'config'
  /** A word beyond the arguments is an error, not an oversight. */
  readonly extra: 'note' | 'error'
  /** Written twice in a block, the second one is an error and the first counts. */
  readonly once?: true | undefined
  /** As it is printed in the documentation; absent: none. */
  readonly default?: string | undefined
  readonly unit?: string | undefined
  readonly doc: string
  readonly note?: string | undefined
  /** Version of keepalived that introduced it, where that matters to a peer. */
  readonly since?: string | undefined
  /** Written by earlier versions of keepalived; the name to write today. */
  readonly deprecated?: string | undefined
  /** Writing it is an error to keepalived's own check. */
  readonly deprecationCounts?: true | undefined
  /** Arguments of one entry, for the documentation. */
  readonly entry?: string
  /** Carries the values into the draft. Absent for keywords without effect. */
  readonly set?: (draft: T, values: Values, node: Node, lowering: Lowering) => void
  /** What a value that cannot be used leaves in the draft, where that differs from not writing the line. */
  readonly bad?: ((draft: T) => void) | undefined
  /** Takes one line of an `entries` block. */
  readonly each?: (draft: T, node: Node, lowering: Lowering) => void
}

export type GlobalEntry = Entry<GlobalDraft>
export type ScriptEntry = Entry<ScriptDraft>
export type ProcessEntry = Entry<ProcessDraft>
export type FileEntry = Entry<FileDraft>
export type BfdEntry = Entry<BfdDraft>
export type InstanceEntry = Entry<InstanceDraft>
export type GroupEntry = Entry<GroupDraft>
export type RootEntry = Entry<Draft>
export type TrackGroupEntry = Entry<TrackGroupDraft>
export type PlainEntry = Entry<null>

/** What the table holds: the type of the draft matters only between an entry and its block. */
export type Keyword = Omit<Entry<never>, 'set' | 'bad' | 'each'>
