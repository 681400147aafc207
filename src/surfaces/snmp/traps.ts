/** What is told of a change of state: the notifications of the three MIBs. */
import type { MibInstance, MibPlace } from '../../report/mib.ts'
import type { Transition } from '../../report/status.ts'
import type { Binding } from '../../wire/agentx-parts.ts'
import { type Oid, oid } from '../../wire/oid.ts'
import { groupEntry } from './keepalived-groups.ts'
import { initialNumber, instanceEntry, stateNumber } from './keepalived-instances.ts'
import { rfc2787MasterColumn } from './rfc2787.ts'
import { masterReason, rfc6527MasterColumn, rfc6527ReasonColumn } from './rfc6527.ts'
import { address, integer, ipAddress, text } from './values.ts'

/** Which of them are wanted. */
export type TrapKinds = {
  readonly keepalived: boolean
  readonly rfc2787: boolean
  readonly rfc6527: boolean
}

/** What is known of the instance. */
export type TrapFacts = {
  readonly routerId: string
  readonly config: Pick<MibInstance, 'initialMaster' | 'vrid' | 'version' | 'family'>
  readonly place: MibPlace
}

const snmpTrapOid = oid('1.3.6.1.6.3.1.1.4.1.0')
const routerIdName = oid('1.3.6.1.4.1.9586.100.5.1.2.0')
const keepalivedTraps = oid('1.3.6.1.4.1.9586.100.5.2.10.0')

const notification = (kind: Oid, ...bindings: readonly Binding[]): readonly Binding[] => [
  { name: snmpTrapOid, value: { type: 'oid', value: kind } },
  ...bindings,
]

const string = (name: Oid, value: string): Binding => ({
  name,
  value: text(value) ?? { type: 'null' },
})

/** In keepalived's order; the columns' names without an index are keepalived's too. */
export function transitionTraps(
  { instance, to, cause }: Transition,
  kinds: TrapKinds,
  facts: TrapFacts,
): readonly (readonly Binding[])[] {
  const { config, place } = facts
  const { ifindex } = place
  const source = place.source ?? ''
  const traps: (readonly Binding[])[] = []
  if (kinds.keepalived)
    traps.push(
      notification(
        [...keepalivedTraps, 2],
        string([...instanceEntry, 2], instance),
        { name: [...instanceEntry, 4], value: integer(stateNumber(to)) },
        {
          name: [...instanceEntry, 5],
          value: integer(initialNumber(config.initialMaster)),
        },
        string(routerIdName, facts.routerId),
      ),
    )
  if (to !== 'MASTER' || ifindex === null) return traps
  const index = [ifindex, config.vrid]
  if (kinds.rfc2787 && config.version === 2)
    traps.push(
      notification(oid('1.3.6.1.2.1.68.0.1'), {
        name: [...rfc2787MasterColumn, ...index],
        value: ipAddress(source),
      }),
    )
  const octets = address(source)
  const indexWithType = [...index, config.family === 4 ? 1 : 2]
  if (kinds.rfc6527 && octets !== null)
    traps.push(
      notification(
        oid('1.3.6.1.2.1.207.0.1'),
        { name: [...rfc6527MasterColumn, ...indexWithType], value: octets },
        {
          name: [...rfc6527ReasonColumn, ...indexWithType],
          value: integer(masterReason(cause)),
        },
      ),
    )
  return traps
}

export const groupTrap = (name: string, to: string, routerId: string): readonly Binding[] =>
  notification(
    [...keepalivedTraps, 1],
    string([...groupEntry, 2], name),
    { name: [...groupEntry, 3], value: integer(stateNumber(to)) },
    string(routerIdName, routerId),
  )
