/** What an object says of itself: XML, as the specification has it ("Introspection Data Format"). */
import type { Argument, Interface } from './interfaces.ts'

const doctype = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">`

/** `children`: the last parts of the paths below it. Names and types here need no escaping. */
export function introspectionXml(
  interfaces: readonly Interface[],
  children: readonly string[],
): string {
  return [
    doctype,
    '<node>',
    ...interfaces.flatMap(interfaceXml),
    ...children.map((name) => `  <node name="${name}"/>`),
    '</node>',
    '',
  ].join('\n')
}

function interfaceXml({ name, methods, signals, properties }: Interface): string[] {
  return [
    `  <interface name="${name}">`,
    ...methods.flatMap((it) =>
      element('method', it.name, [
        ...it.takes.map((arg) => argumentXml(arg, 'in')),
        ...it.gives.map((arg) => argumentXml(arg, 'out')),
      ]),
    ),
    ...signals.flatMap((it) =>
      element(
        'signal',
        it.name,
        it.carries.map((arg) => argumentXml(arg, null)),
      ),
    ),
    ...properties.flatMap(({ name: property, type, constant }) => [
      `    <property name="${property}" type="${type}" access="read">`,
      `      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="${constant ? 'const' : 'true'}"/>`,
      '    </property>',
    ]),
    '  </interface>',
  ]
}

const element = (kind: string, name: string, inside: readonly string[]): string[] =>
  inside.length === 0
    ? [`    <${kind} name="${name}"/>`]
    : [`    <${kind} name="${name}">`, ...inside, `    </${kind}>`]

const argumentXml = ({ name, type }: Argument, direction: 'in' | 'out' | null): string =>
  `      <arg name="${name}" type="${type}"${direction === null ? '' : ` direction="${direction}"`}/>`
