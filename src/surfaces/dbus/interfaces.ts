/** The interfaces that objects here can have: one table, from which calls are answered and objects describe themselves. */

export type Argument = { readonly name: string; readonly type: string }

export type Method = {
  readonly name: string
  readonly takes: readonly Argument[]
  readonly gives: readonly Argument[]
}

export type Interface = {
  readonly name: string
  readonly methods: readonly Method[]
  readonly signals: readonly { readonly name: string; readonly carries: readonly Argument[] }[]
  /** Read only, all of them. `constant`: for as long as the object is there. */
  readonly properties: readonly (Argument & { readonly constant: boolean })[]
}

const argument = (text: string): Argument => {
  const [name = '', type = ''] = text.split(':')
  return { name, type }
}

/** Arguments as `name:type`. */
const method = (name: string, takes: string[] = [], gives: string[] = []): Method => ({
  name,
  takes: takes.map(argument),
  gives: gives.map(argument),
})

const signal = (name: string, ...carries: string[]) => ({ name, carries: carries.map(argument) })

export const introspectable: Interface = {
  name: 'org.freedesktop.DBus.Introspectable',
  methods: [method('Introspect', [], ['xml_data:s'])],
  signals: [],
  properties: [],
}

export const peer: Interface = {
  name: 'org.freedesktop.DBus.Peer',
  methods: [method('Ping'), method('GetMachineId', [], ['machine_uuid:s'])],
  signals: [],
  properties: [],
}

export const properties: Interface = {
  name: 'org.freedesktop.DBus.Properties',
  methods: [
    method('Get', ['interface_name:s', 'property_name:s'], ['value:v']),
    method('GetAll', ['interface_name:s'], ['props:a{sv}']),
    method('Set', ['interface_name:s', 'property_name:s', 'value:v']),
  ],
  signals: [
    signal(
      'PropertiesChanged',
      'interface_name:s',
      'changed_properties:a{sv}',
      'invalidated_properties:as',
    ),
  ],
  properties: [],
}

/** Of the daemon. */
export const vrrp: Interface = {
  name: 'org.keepalived.Vrrp1.Vrrp',
  methods: ['PrintData', 'PrintStats', 'PrintStatsClear', 'ReloadConfig'].map((it) => method(it)),
  signals: ['VrrpStarted', 'VrrpReloaded', 'VrrpStopped'].map((it) => signal(it)),
  properties: [],
}

/** Of an instance. keepalived says that Name is `s` and gives `(s)`; here it is what it says. */
export const instance: Interface = {
  name: 'org.keepalived.Vrrp1.Instance',
  methods: [method('SendGarp')],
  signals: [signal('VrrpStatusChange', 'status:u')],
  properties: [
    { name: 'Name', type: '(s)', constant: true },
    { name: 'State', type: '(us)', constant: false },
  ],
}

/** What every object has. */
export const standard: readonly Interface[] = [introspectable, peer, properties]

export const signatureOf = (list: readonly Argument[]): string =>
  list.map(({ type }) => type).join('')
