/**
 * vipd's own metrics. Labels come from the configuration alone (instance, check, session, address as configured): never
 * the address of a master, the text of a cause or a MAC, whose number nothing bounds.
 */
import type {
  Status,
  StatusBfd,
  StatusBucket,
  StatusCheck,
  StatusInstance,
} from '../../report/status.ts'
import type { ExemplarOf } from './exemplars.ts'
import type { Buckets, Family, Labels, Sample } from './exposition.ts'

const states = ['INIT', 'BACKUP', 'MASTER', 'FAULT', 'STOP'] as const

export function vipdFamilies(
  status: Status,
  nowMs: number,
  exemplarOf: ExemplarOf,
): readonly Family[] {
  return [
    ...daemon(status, nowMs),
    ...instances(status.instances, nowMs),
    transitions(status.instances, exemplarOf),
    ...adverts(status.instances),
    ...claims(status.instances),
    ...authentication(status.instances),
    ...checks(status.checks),
    ...sessions(status.bfd),
  ]
}

const of = <T>(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  all: readonly T[],
  sample: (it: T) => readonly Sample[],
): Family => ({ name: `vipd_${name}`, help, type, samples: all.flatMap(sample) })

const one = (labels: Labels, value: number | boolean | null): readonly Sample[] =>
  value === null ? [] : [{ labels, value: Number(value) }]

const single = (name: string, help: string, value: number | boolean | null): Family =>
  of('gauge', name, help, [value], (it) => one({}, it))

const total = (name: string, help: string, value: number): Family =>
  of('counter', name, help, [value], (it) => one({}, it))

const seconds = (ms: number): number => ms / 1_000

const sinceEpoch = (iso: string | null): number | null =>
  iso === null ? null : Date.parse(iso) / 1_000

function daemon(status: Status, nowMs: number): readonly Family[] {
  const { config, engine, version } = status
  const { unchangedOnDisk } = config
  return [
    of('gauge', 'build_info', 'What runs.', [version], (it) => one({ version: it }, 1)),
    single(
      'start_time_seconds',
      'When the daemon was started; an upgrade in place is no start.',
      seconds(nowMs - status.uptimeMs),
    ),
    single(
      'config_loaded_timestamp_seconds',
      'When the configuration in effect was read.',
      sinceEpoch(config.loadedAt),
    ),
    single(
      'config_reload_success',
      'Whether the last reload was accepted.',
      config.lastReload !== 'rejected',
    ),
    single(
      'config_differs_from_disk',
      'Whether the file is another one than was read.',
      unchangedOnDisk === 'unknown' ? null : !unchangedOnDisk,
    ),
    single('warnings', 'Warnings that vipd status prints.', status.warnings.length),
    single('drained', 'Whether the host was drained.', status.drained),
    single('engine_realtime', 'Whether the engine has real-time priority.', engine.realtime),
    {
      name: 'vipd_engine_wakeup_late_seconds',
      help: 'How late the engine woke up for what was due.',
      type: 'histogram',
      series: [bucketsOf({}, engine.wakeups.late, engine.wakeups.lateSumMs)],
    },
    single('warden_up', 'Whether the second process lives.', status.warden.running),
    total('warden_restarts_total', 'Losses of the second process.', status.warden.lost),
    of(
      'counter',
      'upgrades_total',
      'Upgrades in place that were done, and that were refused.',
      ['done', 'refused'] as const,
      (result) => one({ result }, status.upgrades[result]),
    ),
    ...notifications(status.notify),
    total('engine_events_total', 'Events that the engine raised.', engine.eventsRaised),
    total('flood_dropped_total', 'Packets that the engine did not raise.', engine.throttled),
    total('unclaimed_packets_total', 'VRRP packets of no instance.', engine.unclaimed),
    single('unknown_vrids', 'VRIDs heard that no instance has.', status.unknownVrids.length),
  ]
}

const bucketsOf = (labels: Labels, all: readonly StatusBucket[], sumMs: number): Buckets => ({
  labels,
  upTo: all.map(({ untilMs, count }) => ({
    bound: untilMs === null ? null : seconds(untilMs),
    count,
  })),
  sum: seconds(sumMs),
})

function notifications({ scripts, mails, waiting }: Status['notify']): readonly Family[] {
  const kinds = [
    ['script', scripts],
    ['mail', mails],
  ] as const
  return [
    of('counter', 'notify_started_total', 'Notify scripts and mails.', kinds, ([kind, it]) =>
      one({ kind }, it.started),
    ),
    of('counter', 'notify_runs_total', 'The same, by what came of them.', kinds, ([kind, it]) => [
      ...one({ kind, result: 'good' }, it.succeeded),
      ...one({ kind, result: 'failed' }, it.failed),
      ...one({ kind, result: 'lost' }, it.lost),
      ...one({ kind, result: 'dropped' }, it.dropped),
    ]),
    {
      name: 'vipd_notify_duration_seconds',
      help: 'How long those took that have ended.',
      type: 'histogram',
      series: kinds.map(([kind, it]) => bucketsOf({ kind }, it.took, it.tookSumMs)),
    },
    single('notify_queue_length', 'Notifications that wait for the one before them.', waiting),
  ]
}

/** The exporter's label: `instance` is Prometheus' own word for the host that is scraped. */
const named = ({ name }: StatusInstance): Labels => ({ iname: name })

const leaseStates = ['waiting', 'answers', 'muted', 'missing'] as const

function instances(all: readonly StatusInstance[], nowMs: number): readonly Family[] {
  const gauge = (name: string, help: string, sample: (it: StatusInstance) => readonly Sample[]) =>
    of('gauge', `instance_${name}`, help, all, sample)
  const at = (agoMs: number | null) => (agoMs === null ? null : seconds(nowMs - agoMs))
  return [
    gauge('info', 'What it is.', (it) =>
      one(
        {
          ...named(it),
          interface: it.interface ?? '',
          vrid: it.vrid,
          family: it.family,
          version: it.version,
        },
        1,
      ),
    ),
    gauge('state', 'Whether it is in that state.', (it) =>
      states.flatMap((state) => one({ ...named(it), state }, it.state === state)),
    ),
    gauge('priority', 'Its priority, configured and in effect.', (it) => [
      ...one({ ...named(it), kind: 'base' }, it.basePriority),
      ...one({ ...named(it), kind: 'effective' }, it.effectivePriority),
    ]),
    gauge('state_changed_timestamp_seconds', 'When its state changed last.', (it) =>
      one(named(it), at(it.sinceMs)),
    ),
    gauge('peer_last_heard_timestamp_seconds', 'When it heard an advert last.', (it) =>
      one(named(it), at(it.lastAdvertAgoMs)),
    ),
    gauge('kernel_lease', 'Whether its kernel lease (vipd_kernel_lease) is in that state.', (it) =>
      it.kernelLease === null
        ? []
        : leaseStates.flatMap((state) =>
            one({ ...named(it), state }, it.kernelLease?.state === state),
          ),
    ),
    gauge('warnings', 'Warnings about it.', (it) => one(named(it), it.warnings.length)),
    of('gauge', 'address_present', 'Whether the kernel has the address.', all, (it) =>
      it.addresses.flatMap(({ address, present }) => one({ ...named(it), address }, present)),
    ),
  ]
}

const transitions = (all: readonly StatusInstance[], exemplarOf: ExemplarOf): Family =>
  of('counter', 'instance_transitions_total', 'Changes of state, by their cause.', all, (it) =>
    it.transitionCounts.map(({ from, to, cause, count }) => ({
      labels: { ...named(it), from, to, cause },
      value: count,
      exemplar: exemplarOf({ instance: it.name, from, to, cause }),
    })),
  )

function adverts(all: readonly StatusInstance[]): readonly Family[] {
  const counter = (name: string, help: string, sample: (it: StatusInstance) => readonly Sample[]) =>
    of('counter', name, help, all, sample)
  return [
    counter('adverts_total', 'Adverts.', (it) => [
      ...one({ ...named(it), direction: 'received' }, it.adverts.received),
      ...one({ ...named(it), direction: 'sent' }, it.adverts.sent),
    ]),
    counter('adverts_rejected_total', 'Adverts that were not believed, by the reason.', (it) =>
      Object.entries(it.rejects).flatMap(([reason, count]) => one({ ...named(it), reason }, count)),
    ),
    counter('adverts_missed_total', 'Adverts that did not come, as a backup.', (it) =>
      one(named(it), it.adverts.missed),
    ),
    counter('priority_zero_total', 'Adverts of priority 0: a master that resigns.', (it) => [
      ...one({ ...named(it), direction: 'received' }, it.priorityZero.received),
      ...one({ ...named(it), direction: 'sent' }, it.priorityZero.sent),
    ]),
    of('gauge', 'advert_interval_seconds', 'Its advert_int.', all, (it) =>
      one(named(it), seconds(it.advertIntervalMs)),
    ),
    of('gauge', 'down_interval_seconds', 'Silence after which a backup takes over.', all, (it) =>
      one(named(it), it.downIntervalMs === null ? null : seconds(it.downIntervalMs)),
    ),
    of(
      'gauge',
      'advert_gap_worst_seconds',
      'The longest silence of the last hour, as a backup.',
      all,
      (it) => one(named(it), seconds(it.adverts.longestGapMs)),
    ),
    of(
      'gauge',
      'advert_gap_worst_ratio',
      'The same as a share of the down interval: 1 is a take-over.',
      all,
      (it) =>
        one(
          named(it),
          it.downIntervalMs === null ? null : it.adverts.longestGapMs / it.downIntervalMs,
        ),
    ),
    {
      name: 'vipd_advert_gap_seconds',
      help: 'Pauses between adverts, as a backup.',
      type: 'histogram',
      series: all
        .filter(({ adverts: { gaps } }) => gaps.length > 0)
        .map((it) => ({
          labels: named(it),
          upTo: it.adverts.gaps.map(({ untilMs, count }) => ({
            bound: untilMs === null ? null : seconds(untilMs),
            count,
          })),
          sum: null,
        })),
    },
  ]
}

function claims(all: readonly StatusInstance[]): readonly Family[] {
  const counter = (name: string, help: string, value: (it: StatusInstance) => number) =>
    of('counter', name, help, all, (it) => one(named(it), value(it)))
  return [
    counter(
      'address_claim_frames_total',
      'Frames by which another machine claims an address of this master.',
      (it) => it.claims.frames,
    ),
    counter(
      'address_claims_total',
      'Claims of other machines that were reported.',
      (it) => it.claims.reported,
    ),
    counter(
      'address_claim_announcements_total',
      'Announcements on account of such claims.',
      (it) => it.claims.announced,
    ),
    of(
      'gauge',
      'address_claimants',
      'Other machines that claimed an address in the last minute.',
      all,
      (it) => one(named(it), it.claims.claimants.length),
    ),
  ]
}

function authentication(all: readonly StatusInstance[]): readonly Family[] {
  const signed = all.flatMap((it) =>
    it.authentication === null ? [] : [{ labels: named(it), seal: it.authentication }],
  )
  return [
    of('gauge', 'auth_key_info', 'The key that its adverts are signed with.', signed, (it) =>
      one({ ...it.labels, key_id: it.seal.activeKey ?? it.seal.mode }, 1),
    ),
    of('counter', 'auth_verified_total', 'Adverts whose signature was right.', signed, (it) =>
      one(it.labels, it.seal.verified),
    ),
    of(
      'gauge',
      'auth_clock_skew_seconds',
      'How far the clock of a peer is away, at most.',
      signed.filter(({ seal }) => seal.senders.length > 0),
      (it) =>
        one(
          it.labels,
          Math.max(...it.seal.senders.map(({ skewSeconds }) => Math.abs(skewSeconds))),
        ),
    ),
  ]
}

function checks(all: readonly StatusCheck[]): readonly Family[] {
  const labels = ({ name }: StatusCheck): Labels => ({ check: name })
  return [
    of('gauge', 'check_up', 'Whether it is good.', all, (it) => one(labels(it), it.good)),
    of('counter', 'check_runs_total', 'Runs, by what came of them.', all, (it) => [
      ...one({ ...labels(it), result: 'good' }, it.runs - it.failures),
      ...one({ ...labels(it), result: 'timeout' }, it.timeouts),
      ...one({ ...labels(it), result: 'failed' }, Math.max(0, it.failures - it.timeouts)),
    ]),
    of('counter', 'check_overruns_total', 'Turns passed over: it still ran.', all, (it) =>
      one(labels(it), it.overruns),
    ),
    of('gauge', 'check_last_duration_seconds', 'How long its last run took.', all, (it) =>
      one(labels(it), it.last === null ? null : seconds(it.last.durationMs)),
    ),
  ]
}

function sessions(all: readonly StatusBfd[]): readonly Family[] {
  const labels = ({ name }: StatusBfd): Labels => ({ session: name })
  return [
    of('gauge', 'bfd_session_up', 'Whether it is up.', all, (it) =>
      one(labels(it), it.state === 'Up'),
    ),
    of('counter', 'bfd_transitions_total', 'Changes of state.', all, (it) =>
      one(labels(it), it.transitions),
    ),
    of('counter', 'bfd_packets_total', 'Packets.', all, (it) => [
      ...one({ ...labels(it), direction: 'received' }, it.received),
      ...one({ ...labels(it), direction: 'sent' }, it.sent),
    ]),
    of('gauge', 'bfd_detection_seconds', 'Silence after which it is down.', all, (it) =>
      one(labels(it), it.detectionMs === null ? null : seconds(it.detectionMs)),
    ),
    of('gauge', 'bfd_gap_worst_seconds', 'The longest silence.', all, (it) =>
      one(labels(it), seconds(it.longestGapMs)),
    ),
  ]
}
