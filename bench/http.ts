/**
 * What HTTP costs the deciding thread: how long it takes to answer a ping on the control socket, which it answers itself,
 * with many instances, without clients and with a hundred of which ten do not read. By turns in one run.
 *
 * npm run bench:http -- [--instances 1000] [--rounds 5] [--seconds 8]
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { controlFrameBytesMax } from '../src/base/limits.ts'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import { encodeFrame, FrameReader } from '../src/control/protocol.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { residentMb } from '../src/lab/trial.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'
import { held, hostOn, manyInstances } from './many-instances.ts'

const clients = { reading: 90, stalling: 10 }
const everyMs = 5

type Kind = 'HTTP off' | 'no clients' | '100 clients'

/** Milliseconds that each ping took. */
async function pings(path: string, seconds: number): Promise<number[]> {
  const socket = connect(path)
  const took: number[] = []
  const end = performance.now() + seconds * 1_000
  for (let id = 1; performance.now() < end; id += 1) {
    const began = performance.now()
    await ping(socket, id)
    took.push(performance.now() - began)
    await delay(everyMs)
  }
  socket.destroy()
  return took
}

function ping(socket: Socket, id: number): Promise<void> {
  const reader = new FrameReader(controlFrameBytesMax)
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error('the control socket has closed'))
    const take = (chunk: Buffer) => {
      if ((reader.push(chunk)?.length ?? 0) === 0) return
      socket.removeListener('data', take)
      socket.removeListener('close', failed)
      resolve()
    }
    socket.on('data', take)
    socket.once('close', failed)
    socket.write(encodeFrame({ id, verb: 'ping' }, controlFrameBytesMax))
  })
}

async function withClients(path: string, act: () => Promise<number[]>): Promise<number[]> {
  const worker = new Worker(new URL('./http-clients.js', import.meta.url), {
    workerData: { path, ...clients },
  })
  try {
    // Until the first statuses are there.
    await delay(3_000)
    const found = await act()
    worker.postMessage('octets')
    const [octets] = await new Promise<[number]>((resolve) =>
      worker.once('message', (n: number) => resolve([n])),
    )
    if (octets === 0) throw new Error('the clients were told nothing')
    return found
  } finally {
    await worker.terminate()
  }
}

async function measure(instances: number, rounds: number, seconds: number): Promise<string> {
  const size = { instances, addresses: 1, advertInt: 1 }
  const lab = await openLab({ name: 'http' })
  const found: Record<Kind, number[]> = { 'HTTP off': [], 'no clients': [], '100 clients': [] }
  const memory: Record<Kind, number[]> = { 'HTTP off': [], 'no clients': [], '100 clients': [] }
  try {
    const host = await hostOn(lab, 'one', 2, size)
    const off = manyInstances(150, size)
    const on = `global_defs {\n  vipd_http unix:/run/lab/http.sock\n}\n${off}`
    const vipd = startVipd(host, off)
    await until('all addresses are there', 120_000, async () => (await held(host)) === instances)
    const root = `/proc/${host.pid}/root/run/lab`
    const ask = async (kind: Kind, act: () => Promise<number[]>) => {
      found[kind].push(...(await act()))
      memory[kind].push(residentMb(await vipd.child.pid()))
    }
    const control = () => pings(`${root}/vipd/vipd.sock`, seconds)
    for (let round = 0; round < rounds; round += 1) {
      vipd.configure(off)
      await vipd.tryReload()
      await ask('HTTP off', control)
      vipd.configure(on)
      await vipd.tryReload()
      await delay(2_000)
      await ask('no clients', control)
      await ask('100 clients', () => withClients(`${root}/http.sock`, control))
    }
  } finally {
    await lab.close()
  }
  const rows = (Object.keys(found) as Kind[]).map((kind) => {
    const took = summarise(found[kind])
    const rss = summarise(memory[kind])
    if (took === null || rss === null) throw new Error(`nothing was measured: ${kind}`)
    const figures = [took.p50, took.p99, took.max, rss.p50].map((figure) => figure.toFixed(2))
    return [kind, String(took.n), ...figures]
  })
  return tableText({
    head: [`${instances} instances`, 'n', 'median ms', '99 % ms', 'max ms', 'RSS MB'],
    rows,
  })
}

ensureNamespaces()
const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '8' },
  },
})
process.stdout.write(
  await measure(Number(values.instances), Number(values.rounds), Number(values.seconds)),
)
