/** docs/conformance.md, from the table of rows. */
import type { Row } from './conformance-row.ts'
import { rows } from './conformance-rows.ts'

const intro = `<!-- Written by \`npm run docs\` from test/rfc9568/conformance-rows.ts. -->

# RFC 9568, sentence by sentence

What vipd does of VRRP version 3, by section of RFC 9568. Each row names the tests that show it; a test of the suite looks
for each of them, and for this page being what the table says. Version 2 is RFC 3768 (\`test/rfc9568/rfc3768.test.ts\`).

*met*: as it is written. *bounded*: done within a bound or under a condition that is named. *not met*: not done, and why.
*kernel*: the kernel does it. *does not apply*: it is about what vipd does not have.
`

const outro = `
## Router advertisements

RFC 9568 section 6.4.3 has the master send them. vipd sends none; radvd does, from the virtual link-local address, which
only the master has. The same \`radvd.conf\` on both hosts, both with \`net.ipv6.conf.all.forwarding=1\` and with
\`fe80::64\` as the first address of the instance:

\`\`\`
interface eth0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvDefaultLifetime 1800;
  AdvRASrcAddress { fe80::64; };
  prefix 2001:db8:80::/64 { };
};
\`\`\`

Run with radvd 2.19 on a pair and a host: the radvd of the backup waits until the address is there, the host has
\`default via fe80::64 proto ra\`, and after a take-over it still has it, with advertisements from the new master within
MaxRtrAdvInterval. Stop vipd before radvd: a radvd that stops while it has the address withdraws the route of all hosts.

## What is deliberate

- Answers are bounded: five adverts out of turn at once, then two a second. A flood of lower adverts or resignations
  would otherwise make the master flood its segment.
- Taking over from a better master that comes and goes is damped from its third visit within eleven seconds on; a visit
  is a lead that ends within five intervals. Below that rate nothing is different, and a better master is yielded to at
  any time.
- Two owners: after two intervals the one with the higher address gives way to the other if that does not.
`

const cell = (text: string): string => text.replaceAll('|', '\\|')

const shownIn = ({ shown }: Row): string =>
  [...new Set(shown.map(([file]) => `\`${file.replace(/\.ts$/, '')}\``))].join(', ')

const line = (row: Row): string => {
  const { section, level, sentence, verdict, note } = row
  return `| ${[section, level, sentence, `*${verdict}*`, note, shownIn(row)].map(cell).join(' | ')} |`
}

export function conformancePage(): string {
  const head =
    '| section | level | the router … | | how, or why not | shown in test/ |\n| --- | --- | --- | --- | --- | --- |'
  return [intro, [head, ...rows.map(line)].join('\n'), outro].join('\n')
}
