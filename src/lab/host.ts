/**
 * One machine of the lab: a process that holds a network, a process table, mounts and a hostname of its own.
 * Commands enter it with nsenter(1). The holder lives on a leash, the pipe to its standard input: when the
 * lab ends, in whatever way, the holder reads end-of-file, exits, and the kernel takes the whole host with it.
 */
import { execFile, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Child, type ChildOptions, type Line, onlyChildOf } from './child.ts'
import { projectRoot } from './program.ts'
import { Journal, nowMs, until } from './wait.ts'

export type Ran = {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** An address came to, or went from, an interface of the host. */
export type AddressChange = {
  readonly atMs: number
  readonly address: string
  readonly interface: string
  readonly present: boolean
}

type IpAddr = {
  readonly ifname: string
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[]
}

/** What stays visible of /tmp and /run, which are otherwise each host's own: node and this program. */
const kept = [projectRoot, dirname(process.execPath)]

/**
 * Runs as the first process of a host. SIGCHLD ignored: the kernel reaps orphans, so that no dead process
 * keeps its name in the table.
 */
function holderScript(name: string): string {
  const under = (root: string) => kept.filter((path) => path.startsWith(`${root}/`))
  const own = (root: string, save: string) =>
    [
      ...under(root).map(
        (path, i) => `mkdir -p ${save}/${i}; mount --rbind '${path}' ${save}/${i}`,
      ),
      `mount -t tmpfs -o mode=1777 tmpfs ${root}`,
      ...under(root).map((path, i) => `mkdir -p '${path}'; mount --rbind ${save}/${i} '${path}'`),
    ].join('\n')
  return [
    'set -e',
    own('/run', '/tmp/.vipd-lab-keep'),
    own('/tmp', '/run/keep'),
    `mkdir -p /run/lab; hostname ${name}`,
    'ip link set lo up',
    'for f in all default; do',
    '  echo 0 > /proc/sys/net/ipv6/conf/$f/accept_dad',
    '  echo 0 > /proc/sys/net/ipv6/conf/$f/accept_ra',
    '  echo 0 > /proc/sys/net/ipv6/conf/$f/router_solicitations',
    'done 2>/dev/null || true',
    'trap "" CHLD; echo ready; exec cat > /dev/null',
  ].join('\n')
}

function execute(command: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ status, stdout, stderr })
    })
  })
}

async function succeed(command: string, args: readonly string[], where: string): Promise<string> {
  const ran = await execute(command, args)
  if (ran.status === 0) return ran.stdout
  const said = `${ran.stdout}${ran.stderr}`.trim()
  throw new Error(`${where}: ${command} ${args.join(' ')}: status ${ran.status}: ${said}`)
}

export class Host {
  readonly name: string
  /** Process id of the holder's first process, as seen from here. */
  readonly pid: number
  readonly changes = new Journal<AddressChange>()
  readonly children: Child[] = []
  readonly #leash: ReturnType<typeof spawn>
  readonly #held = new Map<string, string>()

  private constructor(name: string, pid: number, leash: ReturnType<typeof spawn>) {
    this.name = name
    this.pid = pid
    this.#leash = leash
  }

  static async open(name: string): Promise<Host> {
    const spaces = ['--net', '--pid', '--mount', '--uts', '--ipc', '--fork', '--kill-child']
    const mounts = ['--propagation', 'private', '--mount-proc']
    const leash = spawn('unshare', [...spaces, ...mounts, 'sh', '-c', holderScript(name)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const said: string[] = []
    leash.stdout?.on('data', (data: Buffer) => said.push(String(data)))
    leash.stderr?.on('data', (data: Buffer) => said.push(String(data)))
    leash.stdin?.on('error', () => undefined)
    const ready = await until(
      `host ${name} opens`,
      60_000,
      () => (leash.exitCode !== null ? 'dead' : said.join('').includes('ready') ? 'ready' : null),
      2,
    )
    const pid = leash.pid === undefined ? null : onlyChildOf(leash.pid)
    if (ready === 'dead' || pid === null) {
      leash.kill('SIGKILL')
      throw new Error(`host ${name}: ${said.join('')}`)
    }
    const host = new Host(name, pid, leash)
    try {
      await host.#watchAddresses()
      return host
    } catch (error) {
      await host.close()
      throw error
    }
  }

  /** Runs a command to its end. */
  run(command: string, args: readonly string[] = []): Promise<Ran> {
    const [enter = '', ...rest] = this.#enter(command, args)
    return execute(enter, rest)
  }

  /** Runs a command that must succeed; throws with what it wrote. */
  must(command: string, args: readonly string[] = []): Promise<string> {
    const [enter = '', ...rest] = this.#enter(command, args)
    return succeed(enter, rest, this.name)
  }

  /** ip(8) in the host's network, but among this process's process ids (for `netns PID`). */
  ip(args: readonly string[]): Promise<string> {
    return succeed('nsenter', ['-t', String(this.pid), '-n', 'ip', ...args], this.name)
  }

  sh(script: string): Promise<string> {
    return this.must('sh', ['-c', script])
  }

  /** Starts a long-running program. */
  spawn(
    command: string,
    args: readonly string[] = [],
    options: { readonly name?: string } & Omit<ChildOptions, 'nested'> = {},
  ): Child {
    const { name = command, ...rest } = options
    const argv = this.#enter(command, args)
    const child = new Child(`${name} on ${this.name}`, argv, { nested: true, ...rest })
    this.children.push(child)
    return child
  }

  /** Writes a file inside the host (below /run or /tmp, which are its own). */
  write(path: string, text: string, mode = 0o644): string {
    const outside = this.outside(path)
    writeFileSync(outside, text, { mode })
    return path
  }

  /** The same path as this process sees it. */
  outside(path: string): string {
    return `/proc/${this.pid}/root${path}`
  }

  /** A file inside the host; null when it is not there. */
  read(path: string): string | null {
    try {
      return readFileSync(this.outside(path), 'utf8')
    } catch {
      return null
    }
  }

  /** Interface → its addresses with prefix length, as the kernel has them now. */
  async addresses(): Promise<ReadonlyMap<string, readonly string[]>> {
    const links = JSON.parse(await this.must('ip', ['-j', 'addr'])) as readonly IpAddr[]
    return new Map(
      links.map((link) => [
        link.ifname,
        link.addr_info.map((info) => `${info.local}/${info.prefixlen}`),
      ]),
    )
  }

  /** Whether the host has that address (without prefix length) now: asked of the kernel. */
  async holds(address: string): Promise<boolean> {
    const all = [...(await this.addresses()).values()].flat()
    return all.some((entry) => entry.split('/')[0] === address)
  }

  /** Resolves when the host has, or no longer has, the address; told by the kernel, in order. */
  async awaitAddress(address: string, present: boolean, timeoutMs: number): Promise<AddressChange> {
    const from = this.changes.items.length
    if (this.#held.has(address) === present) {
      const known = this.changes.items.findLast((change) => change.address === address)
      return known ?? { atMs: nowMs(), address, interface: '', present }
    }
    const what = `${this.name} ${present ? 'gets' : 'loses'} ${address}`
    return this.changes.next(
      what,
      timeoutMs,
      (c) => c.address === address && c.present === present,
      from,
    )
  }

  /** Ends the host and everything in it. */
  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.#leash.exitCode !== null || this.#leash.signalCode !== null) resolve()
      else this.#leash.once('exit', () => resolve())
    })
    this.#leash.kill('SIGKILL')
    await gone
    for (const child of this.children) child.wake()
    await Promise.all(this.children.map((child) => child.exited))
  }

  #enter(command: string, args: readonly string[]): string[] {
    // The host has this machine's /var: what daemons keep there must be its own all the same.
    const own = ['env', 'STATE_DIRECTORY=/run/lab/state', command, ...args]
    return ['nsenter', '-t', String(this.pid), '-m', '-u', '-i', '-n', '-p', ...own]
  }

  /** `ip monitor` prints a change per line; what is there at the start is asked for after it listens. */
  async #watchAddresses(): Promise<void> {
    const onLine = (line: Line) => this.#note(line)
    const monitor = this.spawn('ip', ['-o', 'monitor', 'address'], { name: 'ip monitor', onLine })
    const knock = (verb: string) => this.must('ip', ['address', verb, '127.0.0.2/32', 'dev', 'lo'])
    await until(`${monitor.name} listens`, 60_000, async () => {
      await knock('add')
      await knock('del')
      return monitor.text.includes('127.0.0.2/32')
    })
  }

  #note({ text, atMs }: Line): void {
    const found = /^(Deleted )?\d+:\s+(\S+)\s+inet6?\s+([0-9a-f.:]+)/.exec(text)
    const [, deleted, link = '', address = ''] = found ?? []
    if (found === null) return
    if (deleted === undefined) {
      if (this.#held.get(address) === link) return
      this.#held.set(address, link)
    } else this.#held.delete(address)
    this.changes.push({ atMs, address, interface: link, present: deleted === undefined })
  }
}
