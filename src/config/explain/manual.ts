/** man/vipd.conf.5: the keyword table as a manual page, block by block, in mdoc(7). */

import type { BlockName, Keyword } from '../grammar/entries.ts'
import { keywords } from '../keywords/table.ts'
import { paragraph, prose, quoted } from './mdoc.ts'
import { argumentsText, blocks, meaning, preamble, statuses } from './texts.ts'

/** Of the last change of what is not in the table; a page that carried the day of its writing would differ every day. */
const date = 'November 28, 2026'

/** Entries of a block longer than this stand below the keyword, not beside it. */
const besideChars = 60

export function keywordManual(): string {
  const parts = [head, prose(preamble), statusList(), ...blocks.map(section), tail]
  return `${parts.join('\n')}\n`
}

const head = `.\\" Written by npm run docs from the keyword table in src/config. Do not edit.
.Dd ${date}
.Dt VIPD.CONF 5
.Os
.Sh NAME
.Nm vipd.conf
.Nd configuration of vipd
.Sh DESCRIPTION
The configuration of
.Xr vipd 8
is
.Pa /etc/vipd/vipd.conf
or, where there is none,
.Pa /etc/keepalived/keepalived.conf .
.Pp`

function statusList(): string {
  const items = Object.entries(statuses).map(
    ([status, text]) => `.It Em ${status}\n${paragraph(`${text}.`)}`,
  )
  return [
    '.Sh KEYWORDS',
    'A keyword that is not supported says so:',
    '.Bl -tag -width recognised',
    ...items,
    '.El',
  ].join('\n')
}

function section([block, about]: readonly [BlockName, string]): string {
  const title = block === 'root' ? 'Outside blocks' : `Block ${block}`
  const entries = keywords.filter((keyword) => keyword.block === block)
  return [`.Ss ${title}`, paragraph(about), '.Bl -tag -width Ds', ...entries.map(item), '.El'].join(
    '\n',
  )
}

function item(keyword: Keyword): string {
  const args = argumentsText(keyword)
  const below = args.length > besideChars
  const beside = args === '' || below ? '' : ` Ar ${quoted(args)}`
  const lines = [`.It Ic ${keyword.name}${beside}`]
  if (below) lines.push(paragraph(args), '.Pp')
  if (keyword.status !== 'supported') lines.push(`.Pq Em ${keyword.status}`)
  lines.push(paragraph(meaning(keyword)))
  if (keyword.default !== undefined) lines.push(paragraph(`Default: ${keyword.default}.`))
  return lines.join('\n')
}

const tail = `.Sh FILES
.Bl -tag -width Ds -compact
.It Pa /etc/vipd/vipd.conf
.It Pa /etc/keepalived/keepalived.conf
.El
.Sh EXAMPLES
Two hosts that share an address.
The other host has the same file with a lower priority:
.Bd -literal -offset indent
vrrp_script web {
    script "</dev/tcp/127.0.0.1/80"
    interval 1
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        web
    }
}
.Ed
.Pp
What it means on this host, and what is wrong with it:
.Pp
.Dl # vipd check
.Sh SEE ALSO
.Xr keepalived.conf 5 ,
.Xr vipd 8`
