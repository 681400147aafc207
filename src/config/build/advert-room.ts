/** How many addresses an advert has room for: its count has one octet, and it must not be longer than a frame. */
import type { Instance } from '../types.ts'

/** Of an interface that is not there yet. */
const ethernetMtu = 1500
const countMax = 255
/** keepalived leaves so many octets free, and both routers must advertise the same addresses. */
const reserveOctets = 16

/** The authentication trailer of auth_hmac. */
export const trailerOctets = 28

/** Between the IP header and the message: `auth_type AH`. */
const ahOctets = 24

/** `hmac` null: adverts have no trailer; `ahKey` null: no authentication header. */
type Form = Pick<Instance, 'family' | 'version' | 'ahKey'> & { readonly hmac: object | null }

const addressOctets = ({ family }: Form): number => (family === 4 ? 4 : 16)

/** IP header, authentication header, VRRP header, in version 2 the authentication data, and the trailer. */
const fixedOctets = ({ family, version, hmac, ahKey }: Form): number =>
  (family === 4 ? 20 : 40) +
  (ahKey === null ? 0 : ahOctets) +
  8 +
  (version === 2 ? 8 : 0) +
  (hmac === null ? 0 : trailerOctets)

/** The IP packet. */
export const advertOctets = (form: Form, addresses: number): number =>
  fixedOctets(form) + addresses * addressOctets(form)

/** `mtu`: null where it is not known. At least one, which every link has room for. */
export function advertRoom(form: Form, mtu: number | null): number {
  const room = Math.floor(
    ((mtu ?? ethernetMtu) - fixedOctets(form) - reserveOctets) / addressOctets(form),
  )
  return Math.min(countMax, Math.max(1, room))
}
