/**
 * `auth_hmac` → keys and rules. What would make the instance speak or listen without authentication by mistake leaves it out:
 * a missing key is no reason to trust every sender. No message has a part of a key in it.
 */
import type { Us } from '../../base/time.ts'
import type { HmacDraft, HmacKeyDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Hmac, HmacKey } from '../hmac.ts'

/** RFC 2104 section 3: not shorter than the hash, and longer than a block of it adds nothing. */
const keyOctets = { min: 32, max: 64 }
const windowSeconds = { min: 5, max: 300, adverts: 3 }
const othersMayRead = 0o044

/** null: none was asked for, or the instance is refused (`draft.refused`). */
export function hmacOf(
  draft: InstanceDraft,
  { strict, advertIntervalUs }: { readonly strict: boolean; readonly advertIntervalUs: Us },
  lowering: Lowering,
): Hmac | null {
  const { hmac, name } = draft
  if (hmac === null) return null
  const keys = hmac.keys.flatMap((key) => readKey(key, name, lowering) ?? [])
  const active = keys.find(({ id }) => id === hmac.activeKey?.id)
  if (active === undefined) {
    draft.refused ??= { place: hmac.activeKey?.place ?? hmac.place, why: whyNoKey(hmac) }
    return null
  }
  return {
    keys,
    activeKey: active.id,
    mode: modeOf(hmac, strict, name, lowering),
    monotonic: hmac.monotonic,
    windowSeconds: hmac.windowSeconds ?? usualWindow(advertIntervalUs),
  }
}

const usualWindow = (intervalUs: Us): number =>
  Math.min(
    Math.max(windowSeconds.adverts * Math.floor(intervalUs / 1_000_000), windowSeconds.min),
    windowSeconds.max,
  )

function whyNoKey({ activeKey, keys }: HmacDraft): string {
  if (activeKey === null) return 'auth_hmac has no active_key, and its adverts would be unsigned'
  const written = keys.some(({ id }) => id === activeKey.id)
  const what = written ? 'cannot be used' : 'is not defined'
  return `active_key ${activeKey.id} ${what}, and its adverts would be unsigned`
}

function modeOf(
  { mode, place }: HmacDraft,
  strict: boolean,
  name: string,
  lowering: Lowering,
): Hmac['mode'] {
  const written = mode?.value ?? 'enforce'
  if (!strict || written === 'enforce') return written
  const message = `${name}: strict mode accepts signed adverts only; mode enforce is used`
  lowering.error(mode?.place ?? place, 'strict-mode', message)
  return 'enforce'
}

function readKey(key: HmacKeyDraft, name: string, lowering: Lowering): HmacKey | null {
  const { id, value, place } = key
  const bad = (why: string) => {
    lowering.error(place, 'bad-key', `${name}: key ${id} ${why}; it is not used`)
    return null
  }
  const written = value.startsWith('file:') ? readKeyFile(key, name, lowering) : { text: value }
  if ('why' in written) return bad(`cannot be read: ${written.why}`)
  const { text } = written
  const secret = text.startsWith('hex:') ? octetsOfHex(text.slice(4)) : utf8.encode(text)
  if (secret === null) return bad('is not hexadecimal behind hex:')
  if (text.startsWith('hex:') && text.length % 2 !== 0) {
    const message = `${name}: key ${id} has an odd number of digits; the last one is an octet of its own`
    lowering.lost(place, 'odd-key', message)
  }
  const { min, max } = keyOctets
  if (secret.length < min || secret.length > max)
    return bad(`has ${secret.length} octets, and must have ${min} to ${max}`)
  return { id, secret }
}

const utf8 = new TextEncoder()

/** As keepalived reads them: the last digit of an odd number alone is an octet. */
function octetsOfHex(digits: string): Uint8Array | null {
  if (!/^[0-9a-fA-F]*$/.test(digits)) return null
  const pairs = digits.match(/..?/g) ?? []
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16))
}

type Written = { readonly text: string } | { readonly why: string }

function readKeyFile(
  { id, value, place }: HmacKeyDraft,
  name: string,
  lowering: Lowering,
): Written {
  const path = value.slice('file:'.length)
  const facts = lowering.world.stat(path)
  if (facts !== null && (facts.mode & othersMayRead) !== 0) {
    const message = `${name}: the file of key ${id}, ${path}, is readable by its group or by others`
    lowering.report(place, 'error', 'key-file-readable', message, 'security')
  }
  const read = lowering.world.readFile(path)
  if (!('text' in read)) return { why: `${path}: ${read.why}` }
  if (read.text.includes('\ufffd')) return { why: `${path}: it is no text` }
  return { text: read.text.replace(/[\r\n]+$/, '') }
}
