/** SNMP: which MIBs are served, and where the master agent is. */
import { type Ip, parseIp } from '../base/ip.ts'

export type SnmpSocket =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: Ip; readonly port: number }

export type SnmpConfig = {
  /** KEEPALIVED-MIB. */
  readonly keepalived: boolean
  readonly rfc2787: boolean
  readonly rfc6527: boolean
  readonly traps: boolean
  readonly socket: SnmpSocket
}

/** Of keepalived's command line: `--snmp`, `--snmp-agent-socket`. */
export type SnmpOverride = { readonly all: boolean; readonly socket: SnmpSocket | null }

/** net-snmp's. */
export const defaultSnmpSocket: SnmpSocket = { kind: 'unix', path: '/var/agentx/master' }

export const noSnmp: SnmpConfig = {
  ...{ keepalived: false, rfc2787: false, rfc6527: false, traps: false },
  socket: defaultSnmpSocket,
}

export const isSnmpOn = ({ keepalived, rfc2787, rfc6527 }: SnmpConfig): boolean =>
  keepalived || rfc2787 || rfc6527

export const overridden = (config: SnmpConfig, { all, socket }: SnmpOverride): SnmpConfig => ({
  ...config,
  ...(all ? { keepalived: true, rfc2787: true, rfc6527: true } : {}),
  socket: socket ?? config.socket,
})

const agentxPort = 705

/**
 * As net-snmp writes it: `unix:PATH` or an absolute path, `tcp:ADDRESS:PORT`, `tcp6:[ADDRESS]:PORT`, `ADDRESS:PORT`; without
 * a port 705. null: AgentX has no such transport, or it is a name, which to look up may take any time; localhost is none.
 */
export function readSnmpSocket(text: string): SnmpSocket | null {
  const path = /^(?:unix:)?(\/.+)$/s.exec(text)?.[1]
  if (path !== undefined) return path.length > unixPathMax ? null : { kind: 'unix', path }
  const found = /^(?:tcp6?:)?(?:\[([\da-f:.]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/i.exec(text)
  if (found === null) return null
  const [, six, name = '', written] = found
  const isPort = six === undefined && written === undefined && /^\d{1,5}$/.test(name)
  const host = isPort || name === 'localhost' ? '127.0.0.1' : (six ?? name)
  const address = parseIp(host)
  const port = Number(isPort ? name : (written ?? agentxPort))
  return address === null || port < 1 || port > 65_535 ? null : { kind: 'tcp', host: address, port }
}

/** Of sun_path, with the octet that ends it. */
const unixPathMax = 107

export function snmpSocketText(socket: SnmpSocket): string {
  if (socket.kind === 'unix') return socket.path
  const host = socket.host.includes(':') ? `[${socket.host}]` : socket.host
  return `${host}:${socket.port}`
}
