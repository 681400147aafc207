/** Exit statuses of `vipd status` and the other commands that ask a daemon; scripts and Nagios rely on them. */
export const exit = {
  ok: 0,
  /** status: something is degraded. reload: rejected, nothing changed. */
  degraded: 1,
  /** No daemon answered. */
  unreachable: 2,
  usage: 3,
  /** Standard output could not be written, of any command. */
  unwritten: 4,
} as const
