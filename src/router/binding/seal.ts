/** `auth_hmac` of an instance as the engine wants it. */
import type { Ip } from '../../base/ip.ts'
import type { Instance } from '../../config/types.ts'
import type { Seal } from '../../engine/contract.ts'
import { peersOf } from './slot-facts.ts'

/** `source`: the address that its adverts come from. null: they have no trailer. */
export function sealOf(cfg: Instance, source: Ip): Seal | null {
  const { hmac, family, version, vrid, transport } = cfg
  if (hmac === null) return null
  const { keys, activeKey, mode, monotonic, windowSeconds } = hmac
  return {
    ...{ family, version, vrid, source, keys, activeKey, monotonic, windowSeconds },
    signs: mode !== 'receive-only',
    requires: mode === 'enforce',
    peers: transport.kind === 'unicast' ? peersOf(cfg) : null,
  }
}
