/**
 * The story that the demo tells: two hosts with the article's configuration and a web server each, a client
 * that asks the virtual address all the time, and three mishaps. Every step waits for what must follow from it
 * and throws when it does not; what happened is told line by line.
 */
import type { Child } from './child.ts'
import { Client } from './client.ts'
import type { Daemon, DaemonKind, Role } from './daemon.ts'
import type { Host } from './host.ts'
import { type Lab, openLab } from './lab.ts'
import { serveWeb, startDaemon } from './serving.ts'
import type { Vipd } from './vipd.ts'
import { nowMs, until } from './wait.ts'

export type StoryOptions = {
  readonly daemons: readonly [DaemonKind, DaemonKind]
  readonly say: (line: string) => void
}

const vip = '172.16.80.100'
const instance = 'HA_1'
const notifyLog = '/run/lab/notify.log'
/** 3 × advert_int + skew + check interval, doubled. */
const patienceMs = 20_000

/** The article's keepalived.conf; what differs between the hosts is the state and the priority. */
const configuration = (state: 'MASTER' | 'BACKUP', priority: number): string => `
! Configuration File for keepalived
global_defs {
    notification_email {
        ops@example.org
    }
    notification_email_from lb@example.org
    smtp_server 127.0.0.1
    smtp_connect_timeout 30
    router_id http_${state.toLowerCase()}
    script_user root
}
vrrp_script check_httpd {
    script "killall -0 httpd"
    interval 2
}
vrrp_instance ${instance} {
    state ${state}
    interface eth0
    virtual_router_id 80
    priority ${priority}
    advert_int 2
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        ${vip}
    }
    track_script {
        check_httpd
    }
    notify_master "/run/lab/notify.sh master"
    notify_backup "/run/lab/notify.sh backup"
    notify_fault  "/run/lab/notify.sh fault"
}
`

type Node = { readonly host: Host; readonly daemon: Daemon; web: Child }

/** Plays the story in a lab of its own. Throws when something that must happen did not. */
export async function tellStory(options: StoryOptions): Promise<void> {
  const lab = await openLab({ name: 'story' })
  try {
    await new Story(lab, options).play()
  } finally {
    await lab.close()
  }
}

class Story {
  readonly #lab: Lab
  readonly #options: StoryOptions
  readonly #startMs = nowMs()

  constructor(lab: Lab, options: StoryOptions) {
    this.#lab = lab
    this.#options = options
  }

  async play(): Promise<void> {
    const [kind1, kind2] = this.#options.daemons
    this.#say(`node1 (priority 100, ${kind1}), node2 (priority 99, ${kind2}), httpd on both`)
    const node1 = await this.#node('node1', '172.16.80.2/24', configuration('MASTER', 100), kind1)
    await this.#leads(node1, 'no other router was heard')
    const node2 = await this.#node('node2', '172.16.80.3/24', configuration('BACKUP', 99), kind2)
    await this.#expect(node2, 'BACKUP')
    const desk = await this.#lab.host('client', { addresses: { eth0: ['172.16.80.9/24'] } })
    const client = Client.start(desk, vip)
    await client.answeredBy('node1', patienceMs)
    this.#say(`the client asks http://${vip}/ every 10 ms; node1 answers`)

    await this.#step(
      client,
      'httpd on node1 is stopped',
      node2,
      'the check on node1 fails',
      async () => {
        await node1.web.stop(5_000)
      },
    )
    await this.#expect(node1, 'FAULT')
    await this.#step(
      client,
      'httpd on node1 is started',
      node1,
      'higher priority, check good',
      async () => {
        node1.web = await serveWeb(node1.host)
      },
    )
    await this.#expect(node2, 'BACKUP')
    await this.#step(client, 'node1 is cut off', node2, 'no advert for 3 × advert_int + skew', () =>
      this.#lab.cut(node1.host),
    )
    await this.#step(client, 'node1 comes back', node1, 'higher priority', () =>
      this.#lab.heal(node1.host),
    )
    await this.#expect(node2, 'BACKUP')
    await this.#notified(node1, ['backup', 'master', 'fault', 'backup', 'master'])
    await this.#notified(node2, ['backup', 'master', 'backup', 'master', 'backup'])
    await this.#end(node1, node2, client)
  }

  async #node(name: string, address: string, config: string, kind: DaemonKind): Promise<Node> {
    const host = await this.#lab.host(name, { addresses: { eth0: [address] } })
    host.write('/run/lab/notify.sh', `#!/bin/sh\necho "$1" >> ${notifyLog}\n`, 0o755)
    const web = await serveWeb(host)
    return { host, web, daemon: startDaemon(kind, host, config) }
  }

  /** Something is done to the pair; then `heir` must be master and the client must be served by it. */
  async #step(
    client: Client,
    what: string,
    heir: Node,
    why: string,
    act: () => Promise<void>,
  ): Promise<void> {
    const mark = client.mark
    this.#say('')
    this.#say(what)
    const actedMs = nowMs()
    await act()
    await this.#leads(heir, why)
    const answer = await until('the client is served', patienceMs, () =>
      client.answers.items
        .slice(mark)
        .find((a) => a.askedMs > actedMs && a.by === heir.host.name && a),
    )
    await settled(client, answer.askedMs)
    const gaps = client.gaps(actedMs)
    const lost = gaps.reduce((sum, gap) => sum + gap.unanswered, 0)
    const longest = Math.max(0, ...gaps.map((gap) => gap.lastedMs))
    this.#say(
      `client: served by ${heir.host.name}; ${lost} questions unanswered, longest outage ${longest.toFixed(0)} ms`,
    )
  }

  async #leads(node: Node, why: string): Promise<void> {
    await this.#expect(node, 'MASTER')
    await node.host.awaitAddress(vip, true, patienceMs)
    const reason = (await reasonOf(node.daemon)) ?? why
    this.#say(`${node.host.name} is MASTER and holds ${vip} (${reason})`)
  }

  async #expect(node: Node, role: Role): Promise<void> {
    await node.daemon.reaches(instance, role, patienceMs)
    if (role !== 'MASTER') {
      await node.host.awaitAddress(vip, false, patienceMs)
      this.#say(`${node.host.name} is ${role} and does not hold ${vip}`)
    }
  }

  async #notified(node: Node, expected: readonly string[]): Promise<void> {
    const wanted = expected.join(' ')
    const log = () => (node.host.read(notifyLog) ?? '').trim().split('\n').join(' ')
    await until(
      `the notify scripts of ${node.host.name} wrote "${wanted}"`,
      5_000,
      () => log() === wanted,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; they wrote "${log()}"`)
    })
    this.#say(`notify scripts on ${node.host.name}: ${wanted}`)
  }

  async #end(node1: Node, node2: Node, client: Client): Promise<void> {
    await client.stop()
    const exits = await Promise.all([node1.daemon.stop(), node2.daemon.stop()])
    const clean = exits.every((exit) => exit.status === 0)
    const left = (await node1.host.holds(vip)) || (await node2.host.holds(vip))
    if (!clean || left) throw new Error('the daemons did not end cleanly')
    this.#say('')
    this.#say('both daemons stopped in order; no host holds the address')
  }

  #say(text: string): void {
    const at = `${((nowMs() - this.#startMs) / 1_000).toFixed(2).padStart(6)} s`
    this.#options.say(text === '' ? '' : `${at}  ${text}`)
  }
}

/** vipd says why it is what it is; keepalived does not. */
async function reasonOf(daemon: Daemon): Promise<string | null> {
  if (daemon.kind !== 'vipd') return null
  const { instances } = await (daemon as Vipd).status()
  return instances.find((known) => known.name === instance)?.why ?? null
}

/** Questions put before the first answer of the heir may still be open; the client gives up on them. */
async function settled(client: Client, afterMs: number): Promise<void> {
  await until('the client has settled', patienceMs, () => {
    const later = client.answers.items.filter((answer) => answer.askedMs > afterMs + 500)
    return later.length >= 10
  })
}
