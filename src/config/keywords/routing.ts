/** The words of routes and rules, for the documentation; routes.ts and rules.ts of grammar/ read them. */
export const routeWords =
  '[TYPE] DEST [via ADDR] [dev IF] [src ADDR] [from PREFIX] [table T] [metric N] [protocol P] [scope S] [tos T] [onlink] [realms R] [mtu|advmss|rtt|rttvar|reordering|cwnd|ssthresh|rto_min [lock] N] [window|initcwnd|initrwnd|hoplimit|quickack|fastopen_no_cookie N] [features ecn] [congctl [lock] NAME] [pref low|medium|high] [expires SECONDS] [ttl-propagate enabled|disabled] [encap ip|ip6|mpls|ila …] [add|append|prepend] [no_track] [nexthop [via ADDR] [dev IF] [weight 1..256] [onlink] [realms R] [encap …]] …'
export const ruleWords =
  '[not] [from PREFIX] [to PREFIX] [iif|dev IF] [oif IF] [tos T] [fwmark N[/MASK]] [ipproto P] [sport A-B] [dport A-B] [uidrange A-B] [tunnel-id N] [priority N] [realms R] [suppress_prefixlength N] [suppress_ifgroup N] table T|l3mdev|goto N|nop|blackhole|unreachable|prohibit [protocol N] [no_track]'
