/** What `keepalived --help` and `--version` print when vipd is in its place. Exporters parse the version. */
import { release, version } from 'node:os'

/** The release of keepalived whose command line, log phrases and dump files these are. */
const likeRelease = '2.2.7'

/** On standard error, as there: `Keepalived vX.Y.Z (…)` first; JSON exporters look for `--enable-json`. */
export const versionText = (ours: string): string =>
  [
    `Keepalived v${likeRelease} (vipd ${ours})`,
    '',
    `vipd ${ours} in keepalived's place; ${process.version}`,
    `Running on Linux ${release()} ${version()}`,
    '',
    'configure options: --enable-json --enable-regex',
    '',
    'Config options:  NFTABLES REGEX VRRP VRRP_AUTH JSON OLD_CHKSUM_COMPAT SYSTEMD_NOTIFY',
    '',
  ].join('\n')

export const helpText = `Usage: keepalived [OPTION...]
  -f, --use-file=FILE          Use the specified configuration file
                                default '/etc/keepalived/keepalived.conf'
  -P, --vrrp                   Only run with VRRP subsystem (vipd has no other)
  -C, --check                  LVS: no effect
  -B, --no_bfd                 Don't run BFD subsystem
      --all                    Force all child processes to run: no effect
  -l, --log-console            Log messages to local console
  -D, --log-detail             Detailed log messages; twice: more
  -S, --log-facility=([0-7]|local[0-7]|user|daemon)
                               Set syslog facility to LOG_LOCAL[0-7], user or daemon (default)
  -G, --no-syslog              Don't log via syslog
  -u, --umask=MASK             umask for file creation (in numeric form)
  -X, --release-vips           Drop VIP on transition from signal: always so
  -V, --dont-release-vrrp      Don't remove VRRP VIPs on daemon stop: no effect
  -I, --dont-release-ipvs      LVS: no effect
  -R, --dont-respawn           Don't respawn child processes: no effect
  -n, --dont-fork              Don't fork the daemon process
  -d, --dump-conf              Dump the configuration data
  -p, --pid=FILE               Use specified pidfile for parent process
  -r, --vrrp_pid=FILE          Use specified pidfile for VRRP child process
  -T, --genhash                LVS: refused
  -c, --checkers_pid=FILE      LVS: no effect
  -a, --address-monitoring     Report all address additions/deletions: no effect
  -b, --bfd_pid=FILE           Use specified pidfile for BFD child process: no effect
  -x, --snmp                   Enable SNMP subsystem
  -A, --snmp-agent-socket=FILE Use the specified socket for master agent
  -s, --namespace=NAME         Run in network namespace NAME
  -m, --core-dump              Produce core dump if terminate abnormally
  -M, --core-dump-pattern=PATN Also set /proc/sys/kernel/core_pattern to PATN
  -e, --all-config             Error if any configuration file missing
  -i, --config-id id           Skip any configuration lines beginning '@' that don't match id
                                or any lines beginning @^ that do match.
                                The config-id defaults to the node name if option not used
      --signum=SIGFUNC         Return signal number for STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON
  -t, --config-test[=LOG_FILE] Check the configuration for obvious errors, output to
                                stderr by default
  -v, --version                Display the version number
  -h, --help                   Display this help message
`
