/**
 * The JSON of `vipd status --json` and `/api/v1/status`, as a JSON Schema (draft 2020-12). Each object names every field of
 * its type: one that is added to the type does not compile without its row here.
 */
import type { CheckStatus } from '../checks/verdict/types.ts'
import type { InstancePast } from './past.ts'
import type { PastClaim } from './past-claim.ts'
import type {
  Status,
  StatusAddress,
  StatusBfd,
  StatusBucket,
  StatusCheck,
  StatusGroup,
  StatusInstance,
  StatusLease,
  StatusRuns,
  StatusStatic,
  StatusTransition,
  StatusUnknownVrid,
  StatusUpgrades,
  TransitionCount,
} from './status.ts'

export type Schema = { readonly [keyword: string]: unknown }

const object = <T>(
  properties: { readonly [K in keyof Required<T>]: Schema },
  optional: readonly (keyof T)[] = [],
): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name as keyof T)),
})
const array = (items: Schema): Schema => ({ type: 'array', items })
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })
const oneOf = (...values: readonly (string | number | boolean)[]): Schema => ({ enum: values })
const one = (name: string): Schema => ({ $ref: `#/$defs/${name}` })
const some = (name: string): Schema => array(one(name))

const text: Schema = { type: 'string' }
const texts = array(text)
const flag: Schema = { type: 'boolean' }
const number: Schema = { type: 'number' }
const whole: Schema = { type: 'integer', minimum: 0 }
const octet: Schema = { type: 'integer', minimum: 0, maximum: 255 }
/** Milliseconds, with a fraction. */
const ms: Schema = { type: 'number', minimum: 0 }
const time: Schema = { type: 'string', format: 'date-time' }
const countsByName: Schema = { type: 'object', additionalProperties: whole }

const causes: { readonly [K in StatusTransition['cause']]: true } = {
  start: true,
  owner: true,
  timeout: true,
  'priority-zero': true,
  preempt: true,
  'higher-priority': true,
  'higher-address': true,
  faults: true,
  recovered: true,
  late: true,
  lapsed: true,
  demoted: true,
  contested: true,
  group: true,
  stop: true,
}
const cause = oneOf(...Object.keys(causes))

type Last = NonNullable<CheckStatus['last']>
type Authentication = NonNullable<StatusInstance['authentication']>

const outcome = (
  kind: Last['outcome']['kind'],
  more: Readonly<Record<string, Schema>>,
): Schema => ({
  type: 'object',
  properties: { kind: oneOf(kind), ...more },
  required: ['kind', ...Object.keys(more)],
})

const check = object<StatusCheck>({
  ...{ name: text, how: text, usedBy: texts, good: orNull(flag), streak: whole },
  ...{ runs: whole, failures: whole, timeouts: whole, overruns: whole, sinceMs: orNull(ms) },
  last: orNull(
    object<Last>({
      ...{ name: text, output: text, durationMs: ms },
      outcome: {
        anyOf: [
          outcome('exit', { status: whole }),
          outcome('signal', { signal: text }),
          outcome('timeout', { afterMs: ms }),
          outcome('unable', { why: text }),
          outcome('probe', { ok: flag, detail: text }),
          outcome('value', { value: number }),
        ],
      },
    }),
  ),
})

const authentication = object<Authentication>({
  mode: oneOf('enforce', 'permissive', 'receive-only', 'ah'),
  antiReplay: oneOf('time', 'monotonic'),
  ...{ windowSeconds: number, keys: array(whole), activeKey: orNull(whole), sequence: text },
  ...{ verified: whole, unsigned: whole },
  senders: array(
    object<Authentication['senders'][number]>({ address: text, skewSeconds: number, agoMs: ms }),
  ),
})

const adverts = object<StatusInstance['adverts']>({
  ...{ received: whole, sent: whole, heard: whole, missed: whole, longestGapMs: ms },
  recent: object<StatusInstance['adverts']['recent']>({ heard: whole, missed: whole }),
  gaps: array(
    object<StatusInstance['adverts']['gaps'][number]>({ untilMs: orNull(ms), count: whole }),
  ),
})

const claimHow = oneOf('announced', 'used', 'answered', 'probed')

const claims = object<StatusInstance['claims']>({
  ...{ frames: whole, reported: whole, announced: whole },
  claimants: array(
    object<StatusInstance['claims']['claimants'][number]>({
      ...{ address: text, interface: text, mac: text, count: whole },
      how: claimHow,
      sameMac: flag,
      ...{ firstAgoMs: ms, lastAgoMs: ms },
    }),
  ),
  history: some('pastClaim'),
})

const pastClaim = object<PastClaim>({
  ...{ at: time, firstAt: time, lastAt: time, address: text, interface: text, mac: orNull(text) },
  ...{ how: claimHow, sameMac: flag, count: whole, announced: whole },
  takeOver: orNull(oneOf('went-on', 'put-off', 'refused')),
})

const instance = object<StatusInstance>({
  ...{ name: text, vrid: octet, interface: orNull(text), family: oneOf(4, 6) },
  ...{ version: oneOf(2, 3), state: oneOf('INIT', 'BACKUP', 'MASTER', 'FAULT', 'STOP') },
  ...{ basePriority: octet, effectivePriority: octet, priorityArithmetic: text },
  standsBy: orNull(oneOf('failover', 'drain', 'conflict')),
  master: orNull(
    object<NonNullable<StatusInstance['master']>>({ address: text, priority: octet, self: flag }),
  ),
  ...{
    advertIntervalMs: ms,
    downTimerAdverts: whole,
    downIntervalMs: orNull(ms),
    lastAdvertAgoMs: orNull(ms),
  },
  ...{ lastSentAgoMs: orNull(ms), sinceMs: ms, transitions: whole, why: text },
  ...{ transitionCounts: some('transitionCount'), addresses: some('address'), adverts },
  authentication: orNull(authentication),
  kernelLease: orNull(
    object<StatusLease>({
      state: oneOf('waiting', 'answers', 'muted', 'missing'),
      ...{ leaseMs: orNull(ms), why: orNull(text), soonerTakeOvers: texts },
    }),
  ),
  checksums: orNull(
    object<NonNullable<StatusInstance['checksums']>>({ 'pseudo-header': whole, message: whole }),
  ),
  garpDelaySeconds: number,
  priorityZero: object<StatusInstance['priorityZero']>({ received: whole, sent: whole }),
  rejects: countsByName,
  ignored: array(
    object<StatusInstance['ignored'][number]>({ from: text, why: text, explanation: text }),
  ),
  claims,
  ...{ history: some('transition'), warnings: texts },
})

const bfd = object<StatusBfd>({
  ...{ name: text, neighbor: text, source: orNull(text), state: oneOf('Down', 'Init', 'Up') },
  remoteState: orNull(oneOf('AdminDown', 'Down', 'Init', 'Up')),
  ...{ localDiagnostic: text, remoteDiagnostic: orNull(text), failure: orNull(text) },
  ...{ sinceMs: ms, transitions: whole, transmitMs: ms, detectionMs: orNull(ms) },
  ...{ longestGapMs: ms, received: whole, sent: whole, badTtl: whole, sendError: orNull(text) },
  ...{ rejects: countsByName, usedBy: texts },
})

const transition = object<StatusTransition>({ at: time, from: text, to: text, why: text, cause })

const buckets = array(object<StatusBucket>({ untilMs: orNull(ms), count: whole }))

const runs = object<StatusRuns>({
  ...{ started: whole, succeeded: whole, failed: whole, lost: whole, dropped: whole },
  ...{ took: buckets, tookSumMs: ms },
})

type PastEntry = InstancePast['history'][number]

const past = object<InstancePast>({
  ...{ name: text, state: orNull(text) },
  history: array(
    object<PastEntry>({ at: time, from: text, to: text, why: text, cause, number: whole }, [
      'number',
    ]),
  ),
  claims: some('pastClaim'),
})

const status = object<Status>({
  ...{ schema: oneOf(1), version: text, pid: whole, host: text, uptimeMs: ms, drained: flag },
  config: object<Status['config']>({
    ...{ path: text, loadedAt: time, lastReload: oneOf('ok', 'rejected', 'none') },
    ...{ lastReloadAt: orNull(time), lastReloadReasons: texts },
    unchangedOnDisk: oneOf(true, false, 'unknown'),
  }),
  engine: object<Status['engine']>({
    ...{ realtime: flag, locked: flag, eventsRaised: whole, throttled: whole },
    ...{ coalesced: whole, unclaimed: whole },
    wakeups: object<Status['engine']['wakeups']>({ late: buckets, lateSumMs: ms }),
  }),
  warden: object<Status['warden']>({ running: flag, lost: whole }),
  upgrades: object<StatusUpgrades>({
    ...{ done: whole, refused: whole, prevented: orNull(text) },
    running: orNull(
      object<NonNullable<StatusUpgrades['running']>>({
        ...{ sinceMs: ms, pid: orNull(whole), attempts: whole },
      }),
    ),
    last: orNull(
      object<NonNullable<StatusUpgrades['last']>>({
        ...{ at: time, tookMs: ms, attempts: whole },
        from: object<NonNullable<StatusUpgrades['last']>['from']>({ pid: whole, version: text }),
      }),
    ),
    lastRefusal: orNull(
      object<NonNullable<StatusUpgrades['lastRefusal']>>({ at: time, why: text }),
    ),
  }),
  notify: object<Status['notify']>({ scripts: runs, mails: runs, waiting: whole }),
  unknownVrids: array(object<StatusUnknownVrid>({ interface: text, vrid: octet, from: text })),
  ...{ instances: some('instance'), checks: some('check'), bfd: some('bfd') },
  groups: array(object<StatusGroup>({ name: text, state: text, members: texts })),
  statics: array(
    object<StatusStatic>({
      kind: oneOf('address', 'route', 'rule'),
      ...{ text, why: orNull(text) },
      state: oneOf('set', 'waiting', 'refused', 'foreign', 'absent'),
    }),
  ),
  warnings: texts,
})

export const statusSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'vipd status --json, schema 1',
  description:
    'Fields can be added; those that are here stay while `schema` is 1. `vipd history --json` is an array of #/$defs/past.',
  ...status,
  $defs: {
    ...{ instance, check, bfd, transition, past, pastClaim },
    transitionCount: object<TransitionCount>({ from: text, to: text, cause, count: whole }),
    address: object<StatusAddress>({
      ...{ address: text, prefixLength: octet, interface: text, excluded: flag },
      ...{ present: flag, foreign: flag },
    }),
  },
}
