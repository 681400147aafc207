/**
 * One sync group at work: carries the decisions of election/sync-group to its members until they agree, says
 * which of them may lead on their own, and notifies once for each change of the group.
 */
import { assert } from '../../base/assert.ts'
import type { Log } from '../../base/log.ts'
import type { SyncGroup } from '../../config/types.ts'
import {
  describeSync,
  groupDecide,
  groupState,
  type Members,
  mayLead,
} from '../../election/sync-group.ts'
import type { Notifier } from '../../notify/notify.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { RunningInstance } from './instance.ts'

/** More than the three rounds that `groupDecide` promises to need: beyond it the rule itself is broken. */
const roundsMax = 10

export type GroupState = ReturnType<typeof groupState>

export class RunningGroup {
  readonly cfg: SyncGroup
  readonly #members: readonly RunningInstance[]
  readonly #notifier: Notifier
  readonly #log: Log
  readonly #happened: DispatcherPorts['happened']
  #state: GroupState

  constructor(
    cfg: SyncGroup,
    members: readonly RunningInstance[],
    ports: Pick<DispatcherPorts, 'notifier' | 'log' | 'happened'> & {
      readonly before: GroupState | null
    },
  ) {
    this.cfg = cfg
    this.#members = members
    this.#notifier = ports.notifier
    this.#log = ports.log
    this.#happened = ports.happened
    this.#state = ports.before ?? 'init'
    const allOwners = members.every((m) => m.cfg.priority === 255)
    for (const member of members) member.joinGroup(!allOwners)
  }

  get state(): GroupState {
    return this.#state
  }

  get memberNames(): readonly string[] {
    return this.#members.map((m) => m.name)
  }

  /** A member that a reload brought into a group that is master follows it, instead of pulling it down. */
  welcome(member: RunningInstance): void {
    if (this.#state === 'master' && this.#members.includes(member))
      member.feed({ kind: 'group', want: 'master', group: this.cfg.name })
  }

  /** Feeds until the members agree; call it after every batch in which one of them moved. */
  settle(): void {
    for (let round = 0; ; round++) {
      assert(round < roundsMax, `sync group ${this.cfg.name} does not settle`)
      const actions = groupDecide(this.cfg.name, this.#view())
      if (actions.length === 0) break
      for (const { member, event } of actions)
        this.#members.find((m) => m.name === member)?.feed(event)
    }
    const view = this.#view()
    for (const member of this.#members) member.hold(!mayLead(view, member.name))
    this.#notifyChange(groupState(view))
  }

  #view(): Members {
    return new Map(this.#members.map((m) => [m.name, { machine: m.machine }]))
  }

  #notifyChange(state: GroupState): void {
    if (state === this.#state) return
    const { name, notify } = this.cfg
    this.#happened({
      ...{ kind: 'group', name },
      from: this.#state.toUpperCase(),
      to: state.toUpperCase(),
    })
    this.#state = state
    if (state === 'init') return
    if (state === 'stopped') return this.#notifier.group({ name, state: 'STOP', notify })
    this.#log.info(describeSync(name, state), { group: name, state })
    const upper = { master: 'MASTER', backup: 'BACKUP', fault: 'FAULT' } as const
    this.#notifier.group({ name, state: upper[state], notify })
  }
}
