/** What the cases of `vipd upgrade` share. */
import type { Host } from '../../src/lab/host.ts'
import type { Vipd } from '../../src/lab/vipd.ts'

/** The processes of the daemon and its warden, by name. */
export async function processes(
  host: Host,
  name: 'vipd' | 'vipd-warden',
): Promise<readonly string[]> {
  const { stdout } = await host.run('pgrep', ['-r', 'R,S,D', '-x', name])
  return stdout.split('\n').filter((pid) => pid !== '')
}

/** In systemd's place. */
export const listener = `
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/lab/notify")
print("listening", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`

export const compiled = (path: string): string =>
  new URL(`../../src/${path}`, import.meta.url).pathname

/** What the daemon answers to the order to let that program go on. */
export async function ordered(daemon: Vipd, program: readonly string[]): Promise<string> {
  const script = `import('${compiled('control/client.js')}').then(({ requestUpgrade }) =>
    requestUpgrade('${daemon.runDir}/vipd.sock', ${JSON.stringify(program)}, true)).then(
      () => console.log('upgraded'), ({ message }) => console.log(message))`
  return (await daemon.host.must(process.execPath, ['-e', script])).trim()
}
