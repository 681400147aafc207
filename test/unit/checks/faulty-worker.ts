/**
 * A check worker with a fault: the shipped worker, which crashes or hangs once, some time after it has
 * started to work. The fault is chosen by VIPD_TEST_FAULT; VIPD_TEST_MARK is a file that tells that it has happened.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { Board, type WorkerData } from '../../../src/checks/messages.ts'
import '../../../src/checks/worker.ts'

const { VIPD_TEST_FAULT: fault = '', VIPD_TEST_MARK: mark = '' } = process.env
const { board } = workerData as WorkerData

/** The third ping finds the checks at work. */
let pings = 0
parentPort?.on('message', ({ kind }: { kind: string }) => {
  if (kind !== 'ping' || ++pings < 3 || existsSync(mark)) return
  writeFileSync(mark, '')
  if (fault === 'crash') throw new Error('planted fault')
  // As if the start of the first check did not return.
  if (fault === 'hang-in-start') new Board(board).starting = 1
  for (;;);
})
