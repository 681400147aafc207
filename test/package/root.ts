/**
 * A bare Debian 12 in a directory, and the packages to install into it: made once in a cache outside of the tree
 * (VIPD_CACHE, else ~/.cache/vipd), copied for each test. Hosts of the lab enter it with chroot(8).
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Host, Ran } from '../../src/lab/host.ts'
import { projectRoot } from '../../src/lab/program.ts'

const cache =
  process.env['VIPD_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vipd')

const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string =>
  execFileSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env }, stdio: 'pipe' })

/** The mirror that apt of this machine uses: the suite names none. */
function mirror(): string {
  const wanted = ['--format', '$(SITE)', 'Created-By: Packages', 'Codename: bookworm']
  const [first = ''] = run('apt-get', ['indextargets', ...wanted]).split('\n')
  if (first === '') throw new Error('apt has no list of Debian 12: apt-get update')
  return first
}

/** The archive of the bare system: Essential and required packages and apt; no Node.js, compiler, Python or systemd. */
function bareArchive(): string {
  const archive = join(cache, 'bookworm-minbase.tar')
  if (existsSync(archive)) return archive
  mkdirSync(cache, { recursive: true })
  const part = mkdtempSync(join(cache, 'part.'))
  try {
    const root = join(part, 'root')
    run('debootstrap', ['--variant=minbase', 'bookworm', root, mirror()])
    run('tar', ['--one-file-system', '-cf', join(part, 'tar'), '-C', root, '.'])
    renameSync(join(part, 'tar'), archive)
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
  return archive
}

/** A copy of the bare system below `folder`. */
export function bareRoot(folder: string, name: string): string {
  const root = join(folder, name)
  mkdirSync(root)
  run('tar', ['-xpf', bareArchive(), '-C', root])
  return root
}

/** `npm run package` of that tree into `out`; the paths of the archives. `revision` as in 0.1.0-REVISION. */
export function makePackages(out: string, revision: string, tree = projectRoot): readonly string[] {
  const script = join(tree, 'packaging/package.sh')
  const made = run('sh', [script, '--revision', revision, out], { SOURCE_DATE_EPOCH: '1795824000' })
  return made.trim().split('\n')
}

/** A host whose commands run in the root. */
export class RootedHost {
  readonly host: Host
  readonly root: string

  private constructor(host: Host, root: string) {
    this.host = host
    this.root = root
  }

  static async open(host: Host, root: string): Promise<RootedHost> {
    await host.sh(
      [
        `mount -t proc proc ${root}/proc`,
        `mount --rbind /sys ${root}/sys`,
        `mount --rbind /dev ${root}/dev`,
        `mount -t tmpfs tmpfs ${root}/run`,
      ].join(' && '),
    )
    return new RootedHost(host, root)
  }

  run(command: string, ...args: readonly string[]): Promise<Ran> {
    return this.host.run('chroot', [this.root, command, ...args])
  }

  /** Throws with what it wrote. */
  async must(command: string, ...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(command, ...args)
    if (status === 0) return `${stdout}${stderr}`
    throw new Error(`${command} ${args.join(' ')}: status ${status}\n${stdout}${stderr}`)
  }
}

/** Outside of /tmp and /run, which every host of the lab has of its own. */
export function scratchFolder(): string {
  mkdirSync(cache, { recursive: true })
  return mkdtempSync(join(cache, 'test.'))
}
