/** Where the servers of the bench of checks listen, on the loopback interface. */
export const ports = { plain: 46_001, http: 46_002, silent: 46_003, udp: 46_004 }
