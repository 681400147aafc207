/** Numbers of rtnetlink that its objects share: message types, flags of requests, errnos that plans name. */
/** NLMSG_* and RTM_*. */
export const type = {
  error: 2,
  done: 3,
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newAddr: 20,
  delAddr: 21,
  getAddr: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
  newRule: 32,
  delRule: 33,
  getRule: 34,
} as const
/** NLM_F_*; `capped` and `ackTlvs` are for errors and share bits with the others. */
export const nlm = {
  request: 1,
  ack: 4,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  dump: 0x300,
  capped: 0x100,
  ackTlvs: 0x200,
}
/** RTNLGRP_* of routes and rules, of both families. */
export const routingGroups: readonly number[] = [7, 8, 11, 19]

export const addressFamily = { 4: 2, 6: 10 } as const

/** errno values that the tolerant steps of a plan name. */
export const errno = { ENOENT: 2, ESRCH: 3, EEXIST: 17, ENODEV: 19, EADDRNOTAVAIL: 99 } as const
