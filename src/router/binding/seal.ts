/** `auth_hmac` and `auth_type AH` of an instance as the engine wants them. */
import type { Ip } from '../../base/ip.ts'
import type { Instance } from '../../config/types.ts'
import type { Seal } from '../../engine/seal-contract.ts'
import { advertTtl } from '../../wire/vrrp.ts'
import { peersOf } from './slot-facts.ts'

/** `source`: the address that its adverts come from, `ttl`: theirs. null: they are not signed. */
export function sealOf(cfg: Instance, source: Ip, ttl: number | null): Seal | null {
  const { hmac, ahKey, family, version, vrid, transport } = cfg
  if (ahKey !== null) {
    const unicast = transport.kind === 'unicast'
    return { kind: 'ah', source, key: ahKey, ttl: ttl ?? advertTtl, unicast }
  }
  if (hmac === null) return null
  const { keys, activeKey, mode, monotonic, windowSeconds } = hmac
  return {
    kind: 'trailer',
    ...{ family, version, vrid, source, keys, activeKey, monotonic, windowSeconds },
    signs: mode !== 'receive-only',
    requires: mode === 'enforce',
    peers: transport.kind === 'unicast' ? peersOf(cfg) : null,
  }
}
