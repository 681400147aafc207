/** `authentication` of an instance: the password of version 2, in clear text (PASS) or as the key of AH. */
import type { InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Instance } from '../types.ts'

type Facts = Pick<Instance, 'version' | 'family'> & { readonly strict: boolean }

export type Authentication = Pick<Instance, 'password' | 'ahKey'>

const none: Authentication = { password: null, ahKey: null }
/** RFC 2338 section 5.3.10; keepalived takes as much for the key of AH. */
const octetsMax = 8

export function authenticationOf(
  draft: InstanceDraft,
  facts: Facts,
  lowering: Lowering,
): Authentication {
  const { authType, password, name } = draft
  const place = draft.authPlace ?? draft.place
  if (draft.hmac !== null && (authType !== null || password !== null)) {
    const message = `${name}: auth_hmac takes the place of authentication, which is not used`
    lowering.error(place, 'auth-dropped', message)
    return none
  }
  if (authType === null) {
    if (password !== null) {
      const message = `${name}: auth_pass without auth_type means no authentication`
      lowering.lost(place, 'auth-without-type', message)
    }
    return none
  }
  if (password === null) {
    lowering.error(place, 'no-password', `${name}: no auth_pass; there is no authentication`)
    return none
  }
  const dropped = droppedBecause(authType, facts)
  if (dropped !== null) {
    lowering.error(place, 'auth-dropped', `${name}: ${dropped}; it runs without authentication`)
    return none
  }
  const octets = new Uint8Array(octetsMax)
  octets.set(new TextEncoder().encode(password).subarray(0, octetsMax))
  return authType === 'AH' ? { ...none, ahKey: octets } : { ...none, password: octets }
}

function droppedBecause(authType: 'PASS' | 'AH', facts: Facts): string | null {
  if (facts.version === 3) return 'version 3 has no authentication'
  if (facts.strict) return 'strict mode has no authentication'
  return authType === 'AH' && facts.family === 6 ? 'AH is for IPv4 only' : null
}
