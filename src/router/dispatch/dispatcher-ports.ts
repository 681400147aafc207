/** What the dispatcher needs of its surroundings: the daemon's parts, or the simulator's. */
import type { Log } from '../../base/log.ts'
import type { Us } from '../../base/time.ts'
import type { CheckStatus } from '../../checks/verdict/types.ts'
import type { Config, Script } from '../../config/types.ts'
import type { Bfd } from '../../engine/bfd-contract.ts'
import type { Engine } from '../../engine/contract.ts'
import type { Frames } from '../../engine/frames-contract.ts'
import type { SlotId } from '../../engine/order.ts'
import type { OwnedObject } from '../../kernel/marks.ts'
import type { Kernel, KernelView } from '../../kernel/mirror.ts'
import type { KernelReader } from '../../kernel/reader.ts'
import type { Notifier } from '../../notify/notify.ts'
import type { Happening, Removal } from '../../report/event.ts'
import type { LeaseOf } from '../binding/kernel-lease.ts'
import type { LinkStates } from '../binding/virtual-links.ts'

export type DispatcherPorts = {
  readonly engine: Engine
  /** The mirror of the kernel. */
  readonly kernel: KernelView &
    Pick<Kernel, 'linkNames' | 'linkByIndex' | 'hasAgain' | 'isSuppressed' | 'apply'>
  /** What keeps the mirror. Differences that it finds by reading come back through `onKernel`. */
  readonly reader: Pick<KernelReader, 'heard' | 'read'>
  readonly notifier: Notifier
  readonly bfd: Bfd
  /** What is heard comes back through `onFrames`. */
  readonly frames: Frames
  /** 32 random bits, not 0. */
  discriminator(): number
  readonly log: Log
  /** How a check stands; null: there is none of that name. */
  verdict(name: string): CheckStatus | null
  /** Which checks are to run from now on. */
  checks(scripts: readonly Script[]): void
  /** Settings that are no instance's and not the notifier's: packet rules, the lease. */
  settings(next: Config): void
  /** What a slot, or the static entries, may put into the kernel has to be recorded before: false until `recorded` is called. */
  claim(holder: SlotId | 'static', objects: readonly OwnedObject[]): boolean
  /** Of a link that vipd makes. A change comes back through `onLinks`. */
  readonly linkState: LinkStates
  /** Whether an instance's kernel lease is in force. A change comes back through `leases.changed`. */
  readonly leaseOf: LeaseOf
  /** To call `tick` at that instant, once; null: never. Replaces the instant set before. */
  alarm(at: Us | null, now: Us): void
  /** The wall clock in milliseconds, for people. */
  wallMs(): number
  /** Monotonic milliseconds, for the length of a slice of a reload. */
  sliceMs(): number
  /** A thread or process beside the engine was lost. */
  lost(what: 'warden' | 'realtime'): void
  /** For those that watch. It neither waits nor throws. Returns the number under which a transition is kept, if it is. */
  happened(what: Happening, removal?: Removal): number | null
  /** Links or addresses changed. */
  kernelChanged(): void
  /** A batch has been worked off and its orders submitted. */
  settled(): void
}
