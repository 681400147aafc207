/**
 * What tells one daemon of a host from another: the network namespace it is in, its name, where its pid files are. Outside
 * every block, and read before all others: what an interface's name means depends on it.
 */
import type { GlobalDraft } from '../draft/draft.ts'
import type { GlobalEntry } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import { pathPart } from '../grammar/make.ts'
import { Options, optionLines } from '../grammar/option.ts'
import type { IdentityOptions } from '../types.ts'

export const identityOptions: Options<IdentityOptions> = new Options<IdentityOptions>({
  netNamespace: {
    name: 'net_namespace',
    takes: kinds.word('NAME', pathPart('NAME')),
    missing: 'config',
    once: true,
    default: null,
    onReload: 'refused',
    doc: 'The network namespace (`/run/netns/NAME`) that the daemon enters before it opens anything: its sockets, addresses, checks, mails and scripts are in it, and the interfaces of the file are looked for in it, by `vipd check` too. One that is missing prevents the start; CAP_SYS_ADMIN is needed (docs/namespaces.md). The run directory is `/run/vipd/netns-NAME` unless `--run-dir` is given; `-s` of keepalived’s command line counts before it. Mounts are the host’s, `/sys` included.',
    label: 'network namespace',
    inCheck: (namespace) => namespace !== null && namespace,
  },
  instanceName: {
    name: 'instance',
    takes: kinds.word('NAME', pathPart('NAME')),
    missing: 'config',
    once: true,
    default: null,
    onReload: 'refused',
    doc: 'The name of one of several daemons on a host. Its run directory is `/run/vipd/instance-NAME` (`/run/vipd/netns-NS.instance-NAME` with net_namespace) unless `--run-dir` is given; in keepalived’s place it is in the names of the pid files and of syslog.',
    label: 'instance name',
    inCheck: (name) => name !== null && name,
  },
  pidDirectory: {
    name: 'use_pid_dir',
    takes: kinds.bare,
    default: false,
    onReload: 'next-start',
    doc: 'In keepalived’s place the pid files are in `/run/keepalived`; in `/run/keepalived/NAME` with net_namespace in any case. `vipd run` writes `vipd.pid` into its run directory.',
  },
})

export const identityKeywords: readonly GlobalEntry[] = optionLines(
  'root',
  identityOptions,
  ({ identity }: GlobalDraft) => identity,
)

/** Their lines are read first. */
export const isIdentityKeyword = (keyword: string): boolean =>
  identityOptions.fields.some((field) => identityOptions.rows[field].name === keyword)
