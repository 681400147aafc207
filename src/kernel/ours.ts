/**
 * Which of the kernel's objects are this vipd's to remove. An address is ours by its mark (IFA_PROTO) where the kernel
 * has marks, else by the record of the run directory; never because a configuration names it, and never because it has
 * a lifetime. What a living vipd with another run directory may have put there is its own. Pure.
 */
import type { LinkAddress } from '../wire/rtnetlink-address.ts'
import { vipdProtocol } from '../wire/rtnetlink-address.ts'
import {
  type OwnedLink,
  type OwnedObject,
  objectKey,
  type RecordRead,
  type Scope,
  sameScope,
} from './marks.ts'
import type { Survey } from './survey.ts'

export type Verdict =
  | { readonly kind: 'ours' }
  /** Not vipd's. */
  | { readonly kind: 'foreign' }
  /** Marked as a vipd's, but not known to be this one's. */
  | { readonly kind: 'left'; readonly why: string }

const ours: Verdict = { kind: 'ours' }
const foreign: Verdict = { kind: 'foreign' }

/** Linux 5.18 brought IFA_PROTO; a distribution may have brought it to an older one. */
export function kernelMarks(release: string, addresses: readonly LinkAddress[]): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10))
  const recent = major > 5 || (major === 5 && minor >= 18)
  return recent || addresses.some((a) => a.protocol !== null)
}

export class Judge {
  readonly #unusable: string | null
  readonly #own: ReadonlySet<string>
  /** What living neighbours name, and whose it is. */
  readonly #named: ReadonlyMap<string, string>
  /** Of routes and rules, by identity. */
  readonly #namedEntries: ReadonlyMap<string, string>
  readonly #ownEntries: ReadonlySet<string>
  /** A living neighbour whose record is not readable. */
  readonly #unread: string | null
  readonly #marks: boolean

  constructor(survey: Survey, marks: boolean) {
    const { own, scope, neighbours } = survey
    this.#marks = marks
    this.#unusable = own.kind === 'unusable' ? own.why : null
    this.#own = new Set(objectsOf(own, scope).map(objectKey))
    this.#named = new Map(
      neighbours.flatMap(({ runDir, record }) =>
        objectsOf(record, scope).map((object) => [objectKey(object), runDir] as const),
      ),
    )
    this.#namedEntries = new Map(
      neighbours.flatMap(({ runDir, record }) =>
        objectsOf(record, scope).flatMap((it) => ('identity' in it ? [[it.identity, runDir]] : [])),
      ),
    )
    this.#ownEntries = new Set(
      objectsOf(own, scope).flatMap((it) => ('identity' in it ? [it.identity] : [])),
    )
    const unread = neighbours.find(({ record }) => record.kind === 'unusable')
    this.#unread = unread?.runDir ?? null
  }

  /** Why nothing at all may be removed; null: nothing forbids it. */
  get unusable(): string | null {
    return this.#unusable
  }

  /** `interfaceName`: what the address's interface is called. */
  address(address: LinkAddress, interfaceName: string): Verdict {
    const marked = address.protocol === vipdProtocol
    const key = objectKey({ kind: 'address', interface: interfaceName, ...address })
    const recorded = this.#own.has(key)
    if (this.#marks ? !marked : !recorded) return foreign
    return this.#ofVipds(recorded, this.#named.get(key))
  }

  /** A link that carries vipd's mark, or that the record names. */
  link(link: OwnedLink, marked: boolean): Verdict {
    const key = objectKey(link)
    const recorded = this.#own.has(key)
    if (!recorded && !marked) return foreign
    return this.#ofVipds(recorded, this.#named.get(key))
  }

  /** A route or a rule that carries vipd's mark, or that the record names. */
  entry(identity: string): Verdict {
    return this.#ofVipds(this.#ownEntries.has(identity), this.#namedEntries.get(identity))
  }

  /** It is a vipd's. `neighbour`: whose record names it. */
  #ofVipds(recorded: boolean, neighbour: string | undefined): Verdict {
    if (this.#unusable !== null)
      return { kind: 'left', why: `the record of the run directory is unusable: ${this.#unusable}` }
    if (neighbour !== undefined)
      return { kind: 'left', why: `the vipd of ${neighbour} names it as its own` }
    if (recorded || this.#unread === null) return ours
    const unread = this.#unread
    return {
      kind: 'left',
      why: `it may belong to the vipd of ${unread}, whose record is not readable`,
    }
  }
}

export function objectsOf(read: RecordRead, scope: Scope): readonly OwnedObject[] {
  if (read.kind !== 'record' || !sameScope(read.record.scope, scope)) return []
  return read.record.objects
}
