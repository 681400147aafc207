/** keepalived.stats. Every value line is an integer: exporters refuse the whole file otherwise. */
import type { DumpCounts, DumpInstance } from '../../report/dump.ts'

export const statsText = (instances: readonly DumpInstance[]): string =>
  instances.flatMap(({ name, counts }) => lines(name, counts).map((line) => `${line}\n`)).join('')

const lines = (name: string, counts: DumpCounts): readonly string[] => [
  `VRRP Instance: ${name}`,
  '  Advertisements:',
  `    Received: ${counts.received}`,
  `    Sent: ${counts.sent}`,
  `  Became master: ${counts.becameMaster}`,
  `  Released master: ${counts.releasedMaster}`,
  '  Packet Errors:',
  `    Length: ${counts.lengthErrors}`,
  `    TTL: ${counts.ttlErrors}`,
  `    Invalid Type: ${counts.typeErrors}`,
  `    Advertisement Interval: ${counts.intervalErrors}`,
  `    Address List: ${counts.addressListErrors}`,
  '  Authentication Errors:',
  `    Invalid Type: ${counts.authTypeErrors}`,
  `    Type Mismatch: ${counts.authMismatches}`,
  `    Failure: ${counts.authFailures}`,
  '  Priority Zero:',
  `    Received: ${counts.zeroReceived}`,
  `    Sent: ${counts.zeroSent}`,
]
