/** What ends a master's reign, and how it is undone. */
import { healthFile, type Pair } from './pair.ts'

export type Cause = 'cut' | 'return' | 'stop' | 'kill' | 'script' | 'weighted' | 'unplug'

type Strike = { strike(pair: Pair): Promise<void>; undo(pair: Pair): Promise<void> }

const withoutFile = (file: string): Strike => ({
  strike: async ({ hosts }) => void (await hosts.better.must('rm', [file])),
  undo: async ({ hosts }) => void hosts.better.write(file, ''),
})

/** 'return' is what undoing 'cut' is measured as. */
export const strikes: Readonly<Record<Exclude<Cause, 'return'>, Strike>> = {
  cut: {
    strike: ({ lab, hosts }) => lab.cut(hosts.better),
    undo: ({ lab, hosts }) => lab.heal(hosts.better),
  },
  stop: {
    strike: async ({ better }) => void (await better.stop()),
    undo: async (pair) => pair.startBetter(),
  },
  kill: {
    strike: ({ better }) => better.kill(),
    undo: async (pair) => pair.startBetter(),
  },
  script: withoutFile(healthFile.fault),
  weighted: withoutFile(healthFile.demotion),
  unplug: {
    strike: ({ lab, hosts }) => lab.unplug(hosts.better),
    undo: ({ lab, hosts }) => lab.plug(hosts.better),
  },
}

export const causes: Readonly<Record<Cause, string>> = {
  cut: 'host cut off',
  return: 'cut off host returns',
  stop: 'orderly stop',
  kill: 'SIGKILL of the daemon',
  script: 'script fails (weight 0)',
  weighted: 'script fails (weighted)',
  unplug: 'link down',
}

export const isCause = (word: string): word is Cause => Object.hasOwn(causes, word)
