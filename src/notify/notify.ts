/**
 * Telling the world about transitions: the script of the state, the general script, the FIFO line, the mail,
 * in that order. Scripts of one instance run one after the other; a FIFO line is written at once, since it
 * cannot wait; mail has a queue of its own. Nothing here forks, resolves or waits on the calling thread.
 *
 *   transition ─► NotifyQueue (one per instance or group) ─► NotifyWorker ─► worker thread ─► programs, SMTP
 *            └──► FIFOs
 */

import type { Log } from '../base/log.ts'
import { describeResult, succeeded } from '../checks/verdict/describe.ts'
import type { Fifo, Mail, Notify } from '../config/notify.ts'
import type { UserCommand } from '../config/user-command.ts'
import { withWords } from './command.ts'
import { NotifyFifos } from './fifos.ts'
import { composeMail } from './mail.ts'
import type { JobResult } from './messages.ts'
import { NotifyQueue } from './queue.ts'
import { RunCounts, type RunFigures } from './run-counts.ts'
import { NotifyWorker } from './worker-handle.ts'

/** The words of the general script's arguments and of the FIFO lines. */
export type InstanceState =
  | GroupState
  | 'DELETED'
  | 'MASTER_RX_LOWER_PRI'
  | 'MASTER_PRIORITY'
  | 'BACKUP_PRIORITY'
export type GroupState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP'

export type InstanceNotification = {
  readonly name: string
  readonly state: InstanceState
  /** Effective. */
  readonly priority: number
  readonly notify: Notify
}

export type GroupNotification = {
  readonly name: string
  readonly state: GroupState
  readonly notify: Notify
}

/** From the configuration; a reload replaces it. */
export type NotifySettings = {
  readonly mail: Mail | null
  readonly routerId: string
  /** The global FIFO, then the VRRP one. */
  readonly fifos: readonly Fifo[]
  readonly noEmailFaults: boolean
}

export type StateLine = {
  readonly kind: Kind
  readonly name: string
  readonly state: InstanceState
  readonly priority: number
}

export type Notifier = {
  instance(notification: InstanceNotification): void
  /** Reported with priority 0, whatever its members have. */
  group(notification: GroupNotification): void
  /** A state that was notified before: to the FIFOs alone. */
  repeat(line: StateLine): void
  /** FIFOs that stay the same stay open; queued notifications go on. */
  reconfigure(settings: NotifySettings): void
  /**
   * Lets what is queued run for a moment, then only STOP scripts (killed after 1 s each); removes the FIFOs.
   * Resolves within about 3 s whatever the scripts and the mail server do. Call it after the last notification.
   */
  stop(): Promise<void>
}

/** Since the daemon's start. */
export type NotifyFigures = {
  readonly scripts: RunFigures
  readonly mails: RunFigures
  /** That wait for the one before them, now. */
  readonly waiting: number
}

export type CountingNotifier = Notifier & { readonly figures: NotifyFigures }

/** One that can take the place of another process's. */
export type PassableNotifier = CountingNotifier & {
  /** For another process; null: a notification is still on its way. */
  snapshot(): PassedNotifier | null
  /** In place of the settings that it was started without: what another process began goes on. */
  adopt(before: PassedNotifier, settings: NotifySettings): void
}

export type PassedNotifier = {
  /** What was mailed last, by subject. */
  readonly mailed: readonly (readonly [string, InstanceState])[]
  /** FIFOs that are to be removed at the end. */
  readonly madeFifos: readonly string[]
  readonly counts: Pick<NotifyFigures, 'scripts' | 'mails'>
}

export type NotifierTimes = {
  /** A script that runs longer no longer holds up the ones behind it. */
  readonly overdueMs: number
  /** What a mail may take, the server's silences included. */
  readonly mailOverdueMs: number
  /** How long `stop` lets the queues run on by themselves, and how long a STOP script may take. */
  readonly stopMs: number
  readonly workerPatienceMs: number
}

export type NotifierOptions = NotifySettings & {
  readonly log: Log
  readonly times?: Partial<NotifierTimes>
}

const defaultTimes: NotifierTimes = {
  overdueMs: 60_000,
  mailOverdueMs: 120_000,
  stopMs: 1_000,
  workerPatienceMs: 10_000,
}

export function startNotifier(options: NotifierOptions): PassableNotifier {
  return new QueueingNotifier(options)
}

type Kind = 'instance' | 'group'

class QueueingNotifier implements PassableNotifier {
  readonly #log: Log
  readonly #times: NotifierTimes
  readonly #worker: NotifyWorker
  readonly #fifos: NotifyFifos
  readonly #scripts = new Map<string, NotifyQueue>()
  readonly #mails: NotifyQueue
  /** The state of the last mail per subject: one mail per change. */
  readonly #mailed = new Map<string, InstanceState>()
  readonly #scriptCounts = new RunCounts()
  readonly #mailCounts = new RunCounts()
  #settings: NotifySettings
  #wake: () => void = () => undefined

  constructor(options: NotifierOptions) {
    this.#log = options.log
    this.#times = { ...defaultTimes, ...options.times }
    this.#settings = options
    this.#worker = new NotifyWorker({
      workerFile: new URL('./worker.js', import.meta.url),
      patienceMs: this.#times.workerPatienceMs,
      onLost: (why) => this.#log.error(`notify worker ${why}; replaced`),
    })
    this.#mails = this.#newQueue('mail', this.#times.mailOverdueMs, this.#mailCounts)
    this.#fifos = new NotifyFifos(this.#worker, this.#log)
    this.#fifos.configure(options.fifos)
  }

  get figures(): NotifyFigures {
    const queues = [...this.#scripts.values(), this.#mails]
    return {
      scripts: this.#scriptCounts.figures,
      mails: this.#mailCounts.figures,
      waiting: queues.reduce((sum, { waiting }) => sum + waiting, 0),
    }
  }

  instance(notification: InstanceNotification): void {
    this.#notify('instance', notification)
  }

  group(notification: GroupNotification): void {
    this.#notify('group', { ...notification, priority: 0 })
  }

  repeat({ kind, name, state, priority }: StateLine): void {
    this.#fifos.write(`${fifoType(kind)} "${name}" ${state} ${priority}\n`)
  }

  reconfigure(settings: NotifySettings): void {
    this.#settings = settings
    this.#fifos.configure(settings.fifos)
  }

  snapshot(): PassedNotifier | null {
    if (![...this.#scripts.values(), this.#mails].every(({ idle }) => idle)) return null
    const counts = { scripts: this.#scriptCounts.figures, mails: this.#mailCounts.figures }
    return { mailed: [...this.#mailed], madeFifos: this.#fifos.made, counts }
  }

  adopt({ mailed, madeFifos, counts }: PassedNotifier, settings: NotifySettings): void {
    this.#scriptCounts.continueFrom(counts.scripts)
    this.#mailCounts.continueFrom(counts.mails)
    for (const [key, state] of mailed) this.#mailed.set(key, state)
    this.#fifos.adopt(madeFifos)
    this.reconfigure(settings)
  }

  async stop(): Promise<void> {
    const queues = [...this.#scripts.values(), this.#mails]
    await this.#untilIdle(queues, this.#times.stopMs)
    for (const queue of queues) queue.hurry()
    await this.#untilIdle(queues, 2 * this.#times.stopMs)
    this.#fifos.close()
    await this.#worker.close()
  }

  #notify(kind: Kind, given: InstanceNotification): void {
    const notification = asReported(given)
    const { name, state, priority, notify } = notification
    if (isPriorityChange(state) && !notify.priorityChanges) return
    const type = fifoType(kind)
    const specific = scriptOf(notify, state)
    if (specific !== null) this.#run(kind, notification, specific, [])
    if (notify.any !== null && isState(state)) {
      this.#run(kind, notification, notify.any, [type, name, state, String(priority)])
    }
    this.repeat({ kind, name, state, priority })
    if (notify.mail) this.#mail(kind, notification)
  }

  #run(
    kind: Kind,
    { name, state }: InstanceNotification,
    script: UserCommand,
    words: readonly string[],
  ) {
    const label = `(${name}) notify script ${script.raw} for ${state}`
    const prepared = withWords(script.command, words)
    if (!prepared.ok) {
      this.#log.error(`${label} cannot run: ${prepared.why}`)
      return
    }
    const final = state === 'STOP'
    const timeoutMs = final ? this.#times.stopMs : null
    this.#queueOf(kind, name).push({
      job: { kind: 'run', program: prepared.program, runAs: script.runAs, timeoutMs },
      final,
      done: (result) => this.#report(label, result),
    })
  }

  #mail(kind: Kind, { name, state, priority }: InstanceNotification): void {
    const { mail, routerId, noEmailFaults } = this.#settings
    const key = `${kind} ${name}`
    if (mail === null || this.#mailed.get(key) === state) return
    if (state === 'FAULT' && noEmailFaults) return
    const message = composeMail({
      kind,
      name,
      state,
      priority: kind === 'group' ? null : priority,
      routerId,
      at: new Date(),
    })
    if (message === null) return
    this.#mailed.set(key, state)
    this.#mails.push({
      job: { kind: 'mail', mail, message },
      final: false,
      done: (result) => this.#report(`(${name}) mail for ${state}`, result),
    })
  }

  #report(label: string, result: JobResult): void {
    if (result.kind === 'lost') this.#log.warn(`${label}: its result is not known`)
    if (result.kind === 'mail' && result.failure !== null) {
      this.#log.warn(`${label} was not sent: ${result.failure}`)
    }
    if (result.kind !== 'run' || succeeded(result.outcome)) return
    const { outcome, output } = result
    const phrase = describeResult({ name: label, outcome, output, durationMs: 0 })
    const lastLine = output.split('\n').at(-1) ?? ''
    this.#log.warn(`${label} ${phrase}${lastLine === '' ? '' : `: ${lastLine}`}`)
  }

  #queueOf(kind: Kind, name: string): NotifyQueue {
    const key = `${kind} ${name}`
    const known = this.#scripts.get(key)
    if (known !== undefined) return known
    const what = `(${name}) notify script`
    const queue = this.#newQueue(what, this.#times.overdueMs, this.#scriptCounts)
    this.#scripts.set(key, queue)
    return queue
  }

  #newQueue(what: string, overdueMs: number, counts: RunCounts): NotifyQueue {
    return new NotifyQueue({
      worker: this.#worker,
      counts,
      overdueMs,
      onOverdue: () =>
        this.#log.warn(`${what} still busy after ${overdueMs} ms; going on without waiting`),
      onDropped: (count, why) =>
        this.#log.warn(`${what} dropped: ${why}${count === 1 ? '' : ` (${count} so far)`}`),
      onIdle: () => this.#wake(),
    })
  }

  async #untilIdle(queues: readonly NotifyQueue[], limitMs: number): Promise<void> {
    if (queues.every(({ idle }) => idle)) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      this.#wake = () => {
        if (!queues.every(({ idle }) => idle)) return
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Without notify_deleted a removed instance reports FAULT, as in keepalived. */
function asReported(notification: InstanceNotification): InstanceNotification {
  const { state, notify } = notification
  return state === 'DELETED' && !notify.saysDeleted
    ? { ...notification, state: 'FAULT' }
    : notification
}

function scriptOf(notify: Notify, state: InstanceState): UserCommand | null {
  const scripts: Readonly<Record<InstanceState, UserCommand | null>> = {
    MASTER: notify.master,
    BACKUP: notify.backup,
    FAULT: notify.fault,
    STOP: notify.stop,
    DELETED: notify.deleted,
    MASTER_RX_LOWER_PRI: notify.masterRxLowerPri,
    MASTER_PRIORITY: null,
    BACKUP_PRIORITY: null,
  }
  return scripts[state]
}

const isPriorityChange = (state: InstanceState): boolean => state.endsWith('_PRIORITY')
/** Events are for FIFOs and their own script; the general script is for states. */
const isState = (state: InstanceState): boolean =>
  !state.startsWith('MASTER_') && !isPriorityChange(state)

const fifoType = (kind: Kind): string => (kind === 'group' ? 'GROUP' : 'INSTANCE')
