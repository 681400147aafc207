/** A thread that, with another at the same moment, wants the word of one exchange after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { mayAct } from '../../src/engine/core-harness.ts'
import { openExchange } from '../../src/engine/exchange.ts'

export type Wanted = {
  /** How many threads are there by now, by round. */
  readonly there: Int32Array
  readonly second: boolean
  /** Memory and the two descriptors of events, of each round. */
  readonly descriptors: readonly (readonly [number, number, number])[]
}

const { there, second, descriptors } = workerData as Wanted

const may = descriptors.map((fds, round) => {
  const exchange = openExchange([...fds])
  if (exchange instanceof Error) throw exchange
  Atomics.add(there, round, 1)
  while (Atomics.load(there, round) < 2);
  return mayAct(exchange, second)
})
parentPort?.postMessage(may)
