/** Where a bus is (D-Bus specification, "Server Addresses"): `unix:path=…` and `unix:abstract=…`, several with `;`. */

export const systemBusAddress = 'unix:path=/run/dbus/system_bus_socket'

/** For `connect` of node:net, in the order in which they are tried; none: no address here can be used. */
export const socketsOf = (address: string): readonly string[] =>
  address.split(';').flatMap((one) => socketOf(one) ?? [])

function socketOf(one: string): string | null {
  const [, list] = /^unix:(.*)$/.exec(one) ?? []
  if (list === undefined) return null
  const values = new Map(
    list.split(',').map((pair) => {
      const [key = '', ...value] = pair.split('=')
      return [key, unescaped(value.join('='))] as const
    }),
  )
  const [path, abstract] = [values.get('path') ?? null, values.get('abstract') ?? null]
  if (path !== null && path !== '') return path
  return abstract !== null && abstract !== '' ? `\0${abstract}` : null
}

/** Octets that an address may not have stand in it as `%xx`. null: one of them is cut off. */
function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
