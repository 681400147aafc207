/**
 * A check worker with a fault: the shipped worker, which crashes or hangs once, at the first ping after the
 * file VIPD_TEST_TRIGGER has come to be. VIPD_TEST_FAULT chooses the fault.
 */
import { existsSync, unlinkSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { SharedState, type WorkerData } from '../../../src/checks/pool/messages.ts'
import '../../../src/checks/pool/worker.ts'

const { VIPD_TEST_FAULT: fault = '', VIPD_TEST_TRIGGER: trigger = '' } = process.env
const { shared } = workerData as WorkerData

parentPort?.on('message', ({ kind }: { kind: string }) => {
  if (kind !== 'ping' || !existsSync(trigger)) return
  unlinkSync(trigger)
  if (fault === 'crash') throw new Error('planted fault')
  // As if the start of the first check did not return.
  if (fault === 'hang-in-start') new SharedState(shared).starting = 1
  for (;;);
})
