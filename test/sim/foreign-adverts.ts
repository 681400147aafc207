/** What routers and attackers that are none of the hosts send. */
import type { Ip } from '../../src/base/ip.ts'
import type { Us } from '../../src/base/time.ts'
import { encodeAdvert } from '../../src/wire/vrrp.ts'
import { vipsOf } from './scenario.ts'
import { altered } from './seals.ts'
import type { Ending, Fault, World } from './world.ts'

const foreignSource = { 4: '10.0.0.200' as Ip, 6: 'fe80::200' as Ip }
const group = { 4: '224.0.0.18' as Ip, 6: 'ff02::12' as Ip }

/** What a segment with signed adverts draws from beside those: all of it must pass unnoticed, also at rest. */
export const attacks: readonly Fault[] = [
  {
    name: 'altered adverts',
    lasts: 'lasting',
    begin: (world) => again(world, 0.7, () => alteredAdvert(world)),
  },
  {
    name: 'unsigned adverts',
    lasts: 'lasting',
    begin: (world) => again(world, 0.9, () => foreignAdvert(world, 254, 'valid')),
  },
]

/** One of the last adverts, as if signed later. */
export function alteredAdvert({ lan, foreigner, prng }: World): void {
  if (lan.recorded.length === 0) return
  lan.send(foreigner, { ...altered(prng.pick(lan.recorded), 1), valid: false })
}

/** Until it ends, once in so many advert intervals. */
export function again(world: World, intervals: number, speak: () => void): Ending {
  let on = true
  const turn = (): void => {
    if (!on) return
    speak()
    world.later(Math.floor(world.scenario.advertUs * intervals), turn)
  }
  turn()
  return () => {
    on = false
  }
}

/** An advert of a router that is none of the hosts, one for each virtual router. */
export function foreignAdvert(
  { scenario, lan, foreigner }: World,
  priority: number,
  kind: 'valid' | 'ttl' | 'checksum' | 'short',
): void {
  const { version, family, advertUs } = scenario
  const vips = vipsOf(scenario)
  for (const vrid of new Set(vips.map((vip) => vip.vrid))) {
    const to = group[family]
    const from = foreignSource[family]
    const bytes = encodeAdvert({
      version,
      family,
      vrid,
      priority,
      intervalUs: advertUs as Us,
      addresses: vips.filter((vip) => vip.vrid === vrid).map((vip) => vip.address),
      password: null,
      source: from,
      destination: to,
      checksumAsV2: false,
    })
    if (kind === 'checksum') bytes[6] = (bytes[6] ?? 0) ^ 0x5a
    const payload = kind === 'short' ? bytes.subarray(0, 7) : bytes
    const ttl = kind === 'ttl' ? 254 : 255
    const valid = kind === 'valid' && scenario.seal === undefined
    lan.send(foreigner, { from, to, ttl, bytes: payload, valid })
  }
}
