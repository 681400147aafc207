/**
 * What the end-to-end tests share: a lab with two hosts on a segment, a configuration for each, and the daemons
 * under test. Each test opens a lab of its own, so tests run side by side.
 */

import assert from 'node:assert/strict'
import { after } from 'node:test'
import type { Daemon, DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import { type Lab, openLab } from '../../src/lab/lab.ts'
import { startDaemon } from '../../src/lab/serving.ts'

/** VIPD_E2E_SUBJECT=keepalived puts keepalived in vipd's place: to see whether a test or vipd is wrong. */
const subject: DaemonKind = process.env['VIPD_E2E_SUBJECT'] === 'keepalived' ? 'keepalived' : 'vipd'

export const start = (kind: DaemonKind, host: Host, config: string): Daemon =>
  startDaemon(kind === 'vipd' ? subject : kind, host, config)

/** Runs `body` in a lab that is closed afterwards, whatever happens. */
export async function inLab(name: string, body: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab({ name })
  opened.add(lab)
  try {
    await body(lab)
  } catch (error) {
    throw explained(error, lab)
  } finally {
    opened.delete(lab)
    await lab.close()
  }
}

const opened = new Set<Lab>()
after(() => Promise.all([...opened].map((lab) => lab.close())))

/** A failure carries what the daemons wrote. */
function explained(error: unknown, lab: Lab): unknown {
  if (!(error instanceof Error)) return error
  const daemons = lab.hosts.flatMap((host) =>
    host.children.filter((child) => /keepalived|vipd/.test(child.name)),
  )
  const logs = daemons.map((child) => `--- ${child.name}\n${child.text.slice(-6_000)}`)
  error.message = `${error.message}\n${logs.join('\n')}`
  return error
}

export type Instance = {
  readonly priority: number
  readonly version?: 2 | 3
  /** Seconds. */
  readonly advertInt?: number
  readonly vip?: string
  /** More lines inside the vrrp_instance. */
  readonly more?: string
  /** Lines before it: scripts, groups. */
  readonly before?: string
  readonly globals?: string
}

/** A keepalived.conf with one instance, VI_1 on eth0. */
export function conf(instance: Instance): string {
  const { priority, version = 3, advertInt = version === 2 ? 1 : 0.2 } = instance
  const { vip = '172.16.80.100', more = '', before = '', globals = '' } = instance
  return `global_defs {
  script_user root
  ${globals}
}
${before}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version ${version}
  priority ${priority}
  advert_int ${advertInt}
  virtual_ipaddress {
    ${vip}
  }
  ${more}
}
`
}

/** An awaited clean bill: neither side counted a packet as bad. */
export async function noErrors(...daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) {
    assert.deepEqual(await daemon.errors(), {}, `${daemon.child.name} counted bad packets`)
  }
}
