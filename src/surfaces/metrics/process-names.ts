/** The process, by the names that every client library of Prometheus uses; and how late its event loop was. */
import type { Family } from './exposition.ts'

/** Seconds, since the last time that they were told. */
export type LoopDelay = { readonly median: number; readonly p99: number; readonly max: number }

export type ProcessFacts = {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** null: /proc could not be read. */
  readonly openDescriptors: number | null
  /** Of the deciding thread; null: not measured. */
  readonly loopDelay: LoopDelay | null
}

export function processFamilies(facts: ProcessFacts): readonly Family[] {
  const { cpuSeconds, residentBytes, openDescriptors, loopDelay: loop } = facts
  const samples = (value: number | null) => (value === null ? [] : [{ labels: {}, value }])
  const of = (kind: string, value: number) => ({ labels: { kind }, value })
  return [
    {
      name: 'process_cpu_seconds_total',
      help: 'Processor time, user and system.',
      type: 'counter',
      samples: samples(cpuSeconds),
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory.',
      type: 'gauge',
      samples: samples(residentBytes),
    },
    {
      name: 'process_open_fds',
      help: 'Open file descriptors.',
      type: 'gauge',
      samples: samples(openDescriptors),
    },
    {
      name: 'vipd_eventloop_delay_seconds',
      help: 'How late the deciding thread was since the last status.',
      type: 'gauge',
      samples:
        loop === null ? [] : [of('median', loop.median), of('p99', loop.p99), of('max', loop.max)],
    },
  ]
}
