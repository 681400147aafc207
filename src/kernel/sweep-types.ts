/** What the parts of a sweep ask of the kernel and of the caller. */
import type { LinkAddress } from '../wire/rtnetlink-address.ts'

/** One rtnetlink request, answered; throws OpError. */
export type Request = (bytes: Uint8Array) => Uint8Array

/** What a dead vipd left and the next one wants as it is: traffic goes on over it. */
export type Keeps = {
  address(address: LinkAddress, interfaceName: string): boolean
  /** Of a route or a rule, with the words of the operator. */
  entry(identity: string, text: string): boolean
  /** A link that vipd made: switched off, and not deleted. */
  link(name: string): boolean
}
