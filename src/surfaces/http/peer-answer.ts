/** What a peer said, made into a value that can be trusted to have its shape; its texts stay untrusted. */
import type { Summary, SummaryInstance } from '../../report/pair.ts'

const textMax = 256
const instancesMax = 4_096
const addressesMax = 512
/** `advert_int` is 255 s at most. */
const intervalMsMax = 255_000
/** `down_timer_adverts` is 100 at most. */
const advertsMax = 100

type Fields = Readonly<Record<string, unknown>>

/** Throws an Error that says what is wrong with it. */
export function summaryFrom(body: string): Summary {
  const it = fields(parsed(body), 'the answer')
  if (it['schema'] !== 1) throw new Error('its answer is of another version of this API')
  return {
    schema: 1,
    ...{ version: text(it, 'version'), host: text(it, 'host'), pid: whole(it, 'pid') },
    drained: it['drained'] === true,
    configPath: text(it, 'configPath'),
    instances: list(it, 'instances', instancesMax).map(instanceFrom),
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new Error('its answer is not JSON')
  }
}

function instanceFrom(value: unknown): SummaryInstance {
  const it = fields(value, 'an instance')
  return {
    ...{
      name: text(it, 'name'),
      vrid: whole(it, 'vrid', 255),
      interface: textOrNull(it, 'interface'),
    },
    family: oneOf(it, 'family', [4, 6]),
    version: oneOf(it, 'version', [2, 3]),
    state: oneOf(it, 'state', ['INIT', 'BACKUP', 'MASTER', 'FAULT', 'STOP']),
    basePriority: whole(it, 'basePriority', 255),
    effectivePriority: whole(it, 'effectivePriority', 255),
    advertIntervalMs: number(it, 'advertIntervalMs', intervalMsMax),
    ...(it['downTimerAdverts'] === undefined
      ? {}
      : { downTimerAdverts: whole(it, 'downTimerAdverts', advertsMax) }),
    ...(it['leaseMs'] === undefined
      ? {}
      : { leaseMs: it['leaseMs'] === null ? null : number(it, 'leaseMs') }),
    sinceMs: number(it, 'sinceMs'),
    ...{ why: text(it, 'why'), standsBy: textOrNull(it, 'standsBy') },
    ...{ master: textOrNull(it, 'master'), authentication: text(it, 'authentication') },
    addresses: list(it, 'addresses', addressesMax).map(plainText),
  }
}

const wrong = (what: string): Error => new Error(`its answer has no valid ${what}`)

function fields(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw wrong(what)
}

/** Cut to a length, on one line. */
function plainText(value: unknown): string {
  if (typeof value !== 'string') throw wrong('text')
  return value.slice(0, textMax).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
}

function text(it: Fields, name: string): string {
  if (typeof it[name] !== 'string') throw wrong(name)
  return plainText(it[name])
}

const textOrNull = (it: Fields, name: string): string | null =>
  it[name] === null ? null : text(it, name)

function number(it: Fields, name: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = it[name]
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) throw wrong(name)
  return value
}

function whole(it: Fields, name: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = number(it, name, most)
  if (!Number.isInteger(value)) throw wrong(name)
  return value
}

function oneOf<T extends string | number>(it: Fields, name: string, values: readonly T[]): T {
  const found = values.find((value) => value === it[name])
  if (found === undefined) throw wrong(name)
  return found
}

function list(it: Fields, name: string, most: number): readonly unknown[] {
  const value = it[name]
  if (!Array.isArray(value) || value.length > most) throw wrong(name)
  return value
}
