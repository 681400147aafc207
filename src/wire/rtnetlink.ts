/**
 * The kernel's answers and notifications, whatever object they are about; an object's own requests and messages are in
 * its file (`rtnetlink-link.ts`, `rtnetlink-address.ts`). The socket belongs to the engine; here are only bytes.
 */
import { viewOf } from '../base/bytes.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import { decodeNetconf, type NetconfMessage, netconfType } from './netconf.ts'
import {
  align4,
  hostIsLittleEndian,
  type Message,
  readAttributes,
  readCString,
  readU32,
  splitMessages,
} from './netlink.ts'
import { type AddressMessage, decodeAddress } from './rtnetlink-address.ts'
import { decodeLink, type LinkMessage } from './rtnetlink-link.ts'
import { nlm, type } from './rtnetlink-numbers.ts'
import { decodeRoute, type RoutingMessage } from './rtnetlink-route.ts'
import { decodeRule, type RuleMessage } from './rtnetlink-rule.ts'

/** NLMSGERR_ATTR_* */
const errorAttribute = { message: 1, offset: 2 }
export type RouteMessage =
  | LinkMessage
  | AddressMessage
  | NetconfMessage
  | RoutingMessage
  | RuleMessage
  /** The answer to a request: errno (0: done as asked) and the kernel's own words about it. */
  | {
      readonly kind: 'error'
      readonly sequence: number
      readonly errno: number
      readonly text: string
      /** Octet of the request that the kernel objects to; null when it does not say. */
      readonly offset: number | null
    }
  /** The end of a dump; errno as above. */
  | { readonly kind: 'done'; readonly sequence: number; readonly errno: number }

const noRejects = {
  'too-short': 0,
  'bad-attributes': 0,
  'missing-attribute': 0,
  'unknown-type': 0,
  'other-family': 0,
}
export type RouteReject = keyof typeof noRejects | 'truncated'
/** @codec */
export const emptyRouteRejects = (): Record<RouteReject, number> => ({ ...noRejects, truncated: 0 })

/**
 * Every message of a buffer that could be understood, in order. What could not is counted in `rejects` if
 * that is given: 'unknown-type' and 'other-family' are no defects, a notification group may carry more than we asked for.
 */
export function decodeMessages(
  buffer: Uint8Array,
  rejects?: Record<RouteReject, number>,
): readonly RouteMessage[] {
  const { messages, whole } = splitMessages(buffer)
  if (!whole && rejects !== undefined) rejects.truncated += 1
  return messages.flatMap((message) => {
    const decoded = decodeMessage(message)
    if (decoded.ok) return [decoded.value]
    if (rejects !== undefined) rejects[decoded.why] += 1
    return []
  })
}

type Result = Decoded<RouteMessage, keyof typeof noRejects>

function decodeMessage(message: Message): Result {
  switch (message.type) {
    case type.newLink:
      return decodeLink(message.body, 'newlink')
    case type.delLink:
      return decodeLink(message.body, 'dellink')
    case type.newAddr:
      return decodeAddress(message.body, 'newaddr')
    case type.delAddr:
      return decodeAddress(message.body, 'deladdr')
    case type.newRoute:
      return decodeRoute(message.body, 'newroute', message.flags)
    case type.delRoute:
      return decodeRoute(message.body, 'delroute', message.flags)
    case type.newRule:
      return decodeRule(message.body, 'newrule')
    case type.delRule:
      return decodeRule(message.body, 'delrule')
    case netconfType.new:
    case netconfType.delete:
      return decodeNetconf(message)
    case type.error:
      return decodeError(message)
    case type.done: {
      const code = message.body.length >= 4 ? readErrno(message.body) : 0
      return accept({ kind: 'done', sequence: message.sequence, errno: code })
    }
    default:
      return reject('unknown-type')
  }
}

/** struct nlmsgerr: errno, the header of the request (or all of it, when not capped), then attributes. */
function decodeError({ body, flags, sequence }: Message): Result {
  if (body.length < 20) return reject('too-short')
  const view = viewOf(body)
  const code = readErrno(body)
  const requestBytes = view.getUint32(4, hostIsLittleEndian)
  const echoed = (flags & nlm.capped) !== 0 || code === 0 ? 16 : align4(requestBytes)
  const tail = (flags & nlm.ackTlvs) !== 0 ? body.subarray(4 + echoed) : new Uint8Array(0)
  const attributes = readAttributes(tail)
  if (attributes === null) return reject('bad-attributes')
  const text = attributes.get(errorAttribute.message)
  return accept({
    kind: 'error',
    sequence,
    errno: code,
    text: text === undefined ? '' : readCString(text),
    offset: readU32(attributes.get(errorAttribute.offset)),
  })
}

/** The kernel reports errors negated; 0 stays a plain zero. */
const readErrno = (body: Uint8Array): number => 0 - viewOf(body).getInt32(0, hostIsLittleEndian)
