/**
 * The pair that a failover is measured on: `better` (priority 150) and `heir` (100) share one address, a client asks
 * for it, and the switch tells what crossed the segment and when, by the kernel's time stamps. Only the wire is
 * looked at, so that every daemon is measured the same way and none has to log for us.
 */
import { us } from '../base/time.ts'
import { skewUs } from '../base/vrrp-timing.ts'
import type { Capture, Frame, VrrpFrame } from '../lab/capture.ts'
import type { Child } from '../lab/child.ts'
import type { Daemon } from '../lab/daemon.ts'
import { senderOf } from '../lab/frames.ts'
import type { Host } from '../lab/host.ts'
import { type Lab, openLab } from '../lab/lab.ts'
import { projectRoot } from '../lab/program.ts'
import type { Contender } from './contender.ts'

export const vip = '172.16.80.100'
export const priorities = { better: 150, heir: 100, demoted: 50 } as const
/** What the two checks of the configuration look for. */
export const healthFile = { fault: '/run/lab/healthy', demotion: '/run/lab/worthy' } as const
export type Role = 'better' | 'heir'

/** A question of the client every so many microseconds. */
const askEveryUs = 250
/** A master counts as settled after so many adverts in a row: with fewer, the heir takes it for one that comes and goes. */
const settledAdverts = 7
const prober = `${projectRoot}/build/Release/vipd-prober`

/** `advertInt` in seconds. */
const configuration = (priority: number, advertInt: number): string => `
global_defs {
  script_user root
}
vrrp_script chk_fault {
  script "/bin/ls ${healthFile.fault}"
  interval 1
}
vrrp_script chk_demotion {
  script "/bin/ls ${healthFile.demotion}"
  interval 1
  weight ${priorities.demoted - priorities.better}
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int ${advertInt}
  track_script {
    chk_fault
    chk_demotion
  }
  virtual_ipaddress {
    ${vip}/24
  }
}
`

export class Pair {
  readonly contender: Contender
  readonly advertMs: number
  readonly lab: Lab
  readonly hosts: Readonly<Record<Role | 'client', Host>>
  /** Adverts and ARP. */
  readonly wire: Capture
  readonly #mac: Readonly<Record<Role, string>>
  #better: Daemon

  private constructor(
    contender: Contender,
    advertMs: number,
    lab: Lab,
    hosts: Pair['hosts'],
    wire: Capture,
  ) {
    this.contender = contender
    this.advertMs = advertMs
    this.lab = lab
    this.hosts = hosts
    this.wire = wire
    this.#mac = { better: lab.mac(hosts.better), heir: lab.mac(hosts.heir) }
    this.#better = this.#start('better')
    this.#start('heir')
  }

  /** `advertInt` in seconds. Close it in a finally. */
  static async open(contender: Contender, advertInt: number): Promise<Pair> {
    const lab = await openLab({ name: 'bench' })
    try {
      const host = (name: string, n: number) =>
        lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`] } })
      const hosts = {
        better: await host('better', 2),
        heir: await host('heir', 3),
        client: await host('client', 9),
      }
      for (const role of ['better', 'heir'] as const)
        for (const file of Object.values(healthFile)) hosts[role].write(file, '')
      const wire = await lab.capture({ filter: 'ip proto 112 or arp' })
      return new Pair(contender, advertInt * 1_000, lab, hosts, wire)
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  /** The daemon of the better host, as it was last started. */
  get better(): Daemon {
    return this.#better
  }

  startBetter(): void {
    this.#better = this.#start('better')
  }

  /** 3 × advert_int + skew of that host (RFC 9568 section 6.1), milliseconds. */
  downMs(role: Role): number {
    return 3 * this.advertMs + this.skewMs(role)
  }

  skewMs(role: Role): number {
    return skewUs(3, priorities[role], us(this.advertMs * 1_000)) / 1_000
  }

  sentBy(frame: Frame, role: Role): boolean {
    return senderOf(frame.bytes) === this.#mac[role]
  }

  /** Resolves when the better one has led for some adverts and the heir is silent. */
  async settled(): Promise<void> {
    let inARow = 0
    const wants = (advert: VrrpFrame): boolean => {
      inARow = advert.priority === priorities.better ? inARow + 1 : 0
      return inARow >= settledAdverts
    }
    await this.wire.advert('the better one leads', 30_000, wants, this.wire.mark)
  }

  /** Starts the client, and shows what it is answered. Rejects when the better one does not answer it. */
  async ask(): Promise<{ readonly answers: Capture; end(): Promise<void> }> {
    const filter = `src host ${vip} and icmp[icmptype] == icmp-echoreply`
    const answers = await this.lab.capture({ filter })
    const client: Child = this.hosts.client.spawn(prober, [vip, String(askEveryUs)])
    const ended = client.exited.then(() => {
      throw new Error(`the client ended: ${client.text}`)
    })
    const first = answers.frames.next('an answer', 10_000, (f) => this.sentBy(f, 'better'))
    await Promise.race([first, ended])
    ended.catch(() => undefined)
    const end = async (): Promise<void> => {
      await client.stop(5_000)
      await answers.stop()
    }
    return { answers, end }
  }

  close(): Promise<void> {
    return this.lab.close()
  }

  #start(role: Role): Daemon {
    const text = configuration(priorities[role], this.advertMs / 1_000)
    return this.contender.start(this.hosts[role], text)
  }
}
