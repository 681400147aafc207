/**
 * A router of one of our VRIDs that speaks by unicast where the instance here is multicast, or the other way round; or
 * behind an authentication header (`auth_type AH`, IP protocol 51) where the instance here has none, or the other way
 * round. Its receiving socket is another's, so neither hears the other, and both are master. While an
 * instance leads, what arrives on its interface is looked at for some adverts' time, soon after it begins and then every
 * minute. A network card may withhold multicast that no socket has joined: then the multicast side alone can see it.
 */
import type { Ip } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { Us } from '../../base/time.ts'
import { incomingFilter } from '../../wire/bpf.ts'
import { type Incoming, readIncoming } from '../../wire/incoming.ts'
import { InterfaceLooks, type Leading, type Look, type PacketSockets } from './interface-looks.ts'

/** An instance that takes part. */
export type Participant = Omit<Leading, 'since'> & {
  /** When it became master; null: it is not. */
  readonly since: Us | null
  readonly name: string
  readonly family: 4 | 6
  readonly vrid: number
  readonly interface: string
  /** null: multicast. */
  readonly peers: readonly Ip[] | null
  readonly source: Ip
  /** `auth_type AH`. */
  readonly ah: boolean
}

type Leader = Participant & Leading

export type OtherTransportPorts = {
  readonly sockets: PacketSockets
  readonly log: Log
  participants(): readonly Participant[]
}

export class OtherTransport {
  readonly #ports: OtherTransportPorts
  readonly looks: InterfaceLooks<Leader>

  constructor(ports: OtherTransportPorts) {
    this.#ports = ports
    this.looks = new InterfaceLooks({
      sockets: ports.sockets,
      filter: incomingFilter(),
      adverts: 3,
      spanMs: { least: 2_000, most: 20_000 },
      packetsMax: 2_000,
      leaders: () =>
        ports
          .participants()
          .flatMap((it) => (it.since === null ? [] : [{ ...it, since: it.since }])),
      begin: (leaders) => this.#begin(leaders),
    })
  }

  #begin(leaders: readonly Leader[]): Look {
    /** Every sender once. */
    const heard = new Map<string, Incoming>()
    return {
      packet: (bytes) => {
        const advert = readIncoming(bytes)
        if (advert !== null) heard.set(JSON.stringify(advert), advert)
      },
      judge: () => {
        const all = this.#ports.participants()
        for (const leader of leaders) {
          const unheard = [...heard.values()].find((it) => isUnheard(it, leader, all))
          this.#report(leader, unheard ?? null)
        }
      },
    }
  }

  #report(leader: Leader, it: Incoming | null): void {
    const { log } = this.#ports
    const { slot, name, vrid } = leader
    const text = it === null ? '' : describe(it, leader)
    const change = this.looks.find(slot, it === null ? null : `${name} is MASTER, but ${text}`)
    if (change === 'new') log.error(`(${name}) ${text}`, { instance: name })
    if (change === 'over')
      log.info(`(${name}) no router sends VRID ${vrid} in another way any more`)
  }
}

function describe(it: Incoming, { vrid, interface: on, peers, ah }: Leader): string {
  if (it.ah !== ah) {
    const [theirs, ours] = it.ah ? ['with', 'without'] : ['without', 'with']
    return `${it.from} sends adverts of VRID ${vrid} ${theirs} an authentication header on ${on}, and this instance is ${ours}: neither hears the other. Write auth_type AH on both or on neither`
  }
  const ours = peers === null ? 'multicast' : 'unicast'
  return `${it.from} sends adverts of VRID ${vrid} by ${it.by} on ${on}, and this instance is ${ours}: neither hears the other. Write unicast_peer on both or on neither`
}

/** Sent in the way that the leader does not hear, by a router that it should hear, and meant for no other instance here. */
function isUnheard(it: Incoming, leader: Participant, all: readonly Participant[]): boolean {
  const isOurs = ({ family, vrid }: Participant) => family === it.family && vrid === it.vrid
  if (!isOurs(leader) || it.from === leader.source) return false
  const otherWay = it.ah !== leader.ah
  if (leader.peers !== null)
    return (it.by === 'multicast' || otherWay) && leader.peers.includes(it.from)
  const meant = all.some(
    (other) => isOurs(other) && other.ah === it.ah && other.peers?.includes(it.from) === true,
  )
  return (it.by === 'unicast' || otherWay) && !meant
}
