/** Which instance, or which other part, an event of the engine concerns. */
import { unreachable } from '../../base/assert.ts'
import type { EngineEvent } from '../../engine/contract.ts'
import type { KernelChange } from '../../kernel/mirror.ts'
import type { Links } from '../binding/sockets.ts'
import type { UnknownVrids } from '../binding/unknown-vrids.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { Roster } from './roster.ts'

type Concerned = Pick<DispatcherPorts, 'reader' | 'log' | 'lost'> & {
  readonly roster: Pick<Roster, 'bySlot'>
  readonly links: Pick<Links, 'slotsOf'>
  readonly unknownVrids: Pick<UnknownVrids, 'receive'>
}

/**
 * All events of one batch. Returns the changes of the kernel that they tell of, not routed yet: what was deleted and added
 * again within one batch has not changed.
 */
export const routeEngineEvents = (
  events: readonly EngineEvent[],
  to: Concerned,
): readonly KernelChange[] => events.flatMap((event) => routeOne(event, to))

/** Of a router that stops: the mirror goes on, and failures of the last orders are reported. */
export function routeLastEvents(
  events: readonly EngineEvent[],
  { roster, kernel }: Pick<Concerned, 'roster'> & Pick<DispatcherPorts, 'kernel'>,
): void {
  for (const event of events)
    if (event.kind === 'failed') roster.bySlot(event.slot)?.engineEvent(event)
    else if (event.kind === 'kernel') kernel.apply(event.bytes)
}

function routeOne(event: EngineEvent, to: Concerned): readonly KernelChange[] {
  const { roster, links, unknownVrids, reader, log, lost } = to
  switch (event.kind) {
    case 'packet':
      roster.bySlot(event.slot)?.receive(event)
      return []
    case 'kernel':
      return reader.heard(event.bytes)
    case 'overrun':
      log.warn('kernel notifications were lost: reading links and addresses again')
      reader.read()
      return []
    case 'linkFailed':
      for (const slot of links.slotsOf(event.link))
        roster.bySlot(slot)?.linkFailed(event.call, event.code)
      return []
    case 'wardenLost':
      lost('warden')
      return []
    case 'realtimeLost':
      lost('realtime')
      return []
    case 'stranger':
      unknownVrids.receive(event)
      return []
    case 'expired':
    case 'failed':
    case 'late':
    case 'lapsed':
    case 'skewed':
      roster.bySlot(event.slot)?.engineEvent(event)
      return []
    default:
      return unreachable(event)
  }
}
