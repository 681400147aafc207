/** A pair of daemons in a lab, the page of the first at a port of this host (as `ssh -L` puts it there), and a browser. */
import { connect, createServer, type Server } from 'node:net'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { conf, inLab } from '../e2e/pair.ts'
import { Browser } from './browser.ts'

export const actToken = 'a-token-to-act-with'
const soonMs = 60_000

export type Site = {
  readonly lab: Lab
  readonly one: Host
  readonly two: Host
  readonly vipd: Vipd
  readonly other: Vipd
  readonly url: string
  readonly browser: Browser
}

/** What the first host asks the second with. */
const peer = 'vipd_peer_http http://172.16.80.3:9112 token /run/lab/token'
const peerHttp = 'vipd_http 172.16.80.3:9112 token /run/lab/token'

const check =
  'vrrp_script chk_web {\n  script "/usr/bin/test -e /run/lab/web"\n  interval 1\n  timeout 2\n  weight 5\n}\n'

const textOf = (priority: number, globals: string): string =>
  conf({ priority, globals, before: check, more: 'track_script {\n    chk_web\n  }' })

export const peerText = textOf(100, peerHttp)

/** The second host, with another VRID and one address more. */
export const strayText = peerText
  .replace('virtual_router_id 51', 'virtual_router_id 52')
  .replace('172.16.80.100', '172.16.80.100\n    172.16.80.101')

/** `options`: of `vipd_http` on the first host. */
export async function inSite(options: string, body: (site: Site) => Promise<void>): Promise<void> {
  await inLab('page', async (lab) => {
    const one = await lab.host('lb1', { addresses: { eth0: ['172.16.80.2/24'] } })
    const two = await lab.host('lb2', { addresses: { eth0: ['172.16.80.3/24'] } })
    for (const host of [one, two]) {
      host.write('/run/lab/web', '')
      host.write('/run/lab/token', actToken)
      await host.run('chmod', ['600', '/run/lab/token'])
    }
    const socket = 'vipd_http unix:/run/lab/http.sock'
    const vipd = startVipd(one, textOf(150, `${socket} ${options}\n  ${peer}`))
    await vipd.child.line(/HTTP: served at unix:/, soonMs)
    await vipd.reaches('VI_1', 'MASTER', soonMs)
    const other = startVipd(two, peerText)
    await other.reaches('VI_1', 'BACKUP', soonMs)
    const proxy = await forward(`/proc/${one.pid}/root/run/lab/http.sock`)
    const browser = await Browser.open()
    try {
      await body({ lab, one, two, vipd, other, url: `http://localhost:${portOf(proxy)}/`, browser })
    } finally {
      await browser.close()
      proxy.close()
    }
  })
}

const forward = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((from) => {
      const to = connect(path)
      const end = () => {
        from.destroy()
        to.destroy()
      }
      for (const socket of [from, to]) socket.on('error', end).on('close', end)
      from.pipe(to).pipe(from)
    })
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const port = portOf(server)
      server.close(() => resolve(port))
    })
  })

function portOf(server: Server): number {
  const at = server.address()
  if (typeof at !== 'object' || at === null) throw new Error('no port')
  return at.port
}

export const stateIs = (state: string, instance = 'VI_1'): string =>
  `document.querySelector('[data-instance="${instance}"]')?.dataset.state === '${state}'`

export const overflows =
  'document.documentElement.scrollWidth > document.documentElement.clientWidth'
