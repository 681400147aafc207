/**
 * Processor time of packets that arrive at a host with a kernel lease and without, by where they go: to a virtual address, to
 * another address of the host, through the host. By turns, reload by reload.
 */
import { fileURLToPath } from 'node:url'
import type { Child } from '../src/lab/child.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import {
  type LeaseBench,
  leasedText,
  median,
  rank,
  soonMs,
  turn,
  type Way,
  waysOf,
} from './lease-common.ts'

const vip = '172.16.80.100'
const destinations = {
  'to a virtual address': vip,
  'to another address of the host': '172.16.80.2',
  'through the host': '172.16.81.9',
} as const
const eachMs = 250
const usual = 25

type Place = keyof typeof destinations
const places = Object.keys(destinations) as Place[]

type Turn = Readonly<Record<Place, Readonly<Record<Way, number>>>>

export async function packets({ n, isOver, print }: LeaseBench): Promise<readonly Turn[]> {
  const lab = await openLab({ name: 'packets' })
  try {
    const [vipd, sender] = await opened(lab)
    const turns: Turn[] = []
    for (let round = 0; round < (n ?? usual) && !isOver(); round++)
      turns.push(await oneRound(round, vipd, sender))
    print([
      ...['packets', 'n', 'without, ns a packet, median', 'with'],
      ...['packets a second of a processor, with to without: median', 'quartiles', 'more, ns'],
    ])
    print(Array.from({ length: 7 }, () => '---'))
    for (const place of places)
      print(
        row(
          place,
          turns.map((each) => each[place]),
        ),
      )
    return turns
  } finally {
    await lab.close()
  }
}

/** The master, and what sends from the desk. */
async function opened(lab: Lab): Promise<readonly [Vipd, Child]> {
  const one = await lab.host('one', {
    addresses: { eth0: ['172.16.80.2/24'], eth1: ['172.16.81.2/24'] },
  })
  const desk = await lab.host('desk', { addresses: { eth0: ['172.16.80.9/24'] } })
  const far = await lab.host('far', { addresses: { eth1: ['172.16.81.9/24'] } })
  await one.sh(
    `sysctl -qw net.ipv4.ip_forward=1; ip neigh replace 172.16.81.9 lladdr ${lab.mac(far, 'eth1')} dev eth1`,
  )
  const vipd = startVipd(one, leasedText(vip, 'on'))
  await vipd.reaches('VI_1', 'MASTER', soonMs)
  const args = ['eth0', lab.mac(one), lab.mac(desk), '172.16.80.9']
  const path = fileURLToPath(new URL('./lease-sender.js', import.meta.url))
  const sender = desk.spawn(process.execPath, [path, ...args], { name: 'sender' })
  await sender.line(/^ready$/, soonMs)
  return [vipd, sender]
}

async function oneRound(round: number, vipd: Vipd, sender: Child): Promise<Turn> {
  const found = new Map<string, number>()
  for (const way of waysOf(round)) {
    await turn(vipd, vip, way)
    for (const place of places) {
      const { mark } = sender
      sender.write(`${destinations[place]} ${eachMs}\n`)
      const { text } = await sender.line(/^[\d.]+ [\d.]+$/, soonMs, mark)
      found.set(`${place} ${way}`, Number(text.split(' ')[1]))
    }
  }
  const of = (place: Place, way: Way) => found.get(`${place} ${way}`) ?? Number.NaN
  const both = places.map((place) => [place, { on: of(place, 'on'), off: of(place, 'off') }])
  return Object.fromEntries(both) as Turn
}

function row(place: string, turns: readonly Readonly<Record<Way, number>>[]) {
  const ratios = turns.map(({ on, off }) => off / on)
  const middle = (pick: (one: Readonly<Record<Way, number>>) => number) => median(turns.map(pick))
  return [
    ...[place, turns.length],
    ...[middle(({ off }) => off).toFixed(0), middle(({ on }) => on).toFixed(0)],
    median(ratios).toFixed(3),
    `${rank(ratios, 0.25).toFixed(3)} to ${rank(ratios, 0.75).toFixed(3)}`,
    middle(({ on, off }) => on - off).toFixed(0),
  ]
}
