/** What the kernel reports of processes and files makes a check run before its turn: these are the looks that follow a report. */
import { Files } from '../local/files.ts'
import { ProcessNews } from '../local/process-news.ts'
import { ProcessTable, processAt } from '../local/processes.ts'
import type { Entry } from './entry.ts'
import type { Hint, Tools } from './prober.ts'

/**
 * When to look after a report about a process. That of an end comes before it is one: a process that was waited for is
 * still in /proc for a moment, on a busy machine for longer. The later looks are for the case that the first ones did not
 * see a new process.
 */
const looksMs = { ended: [1, 20, 200, 2_000], began: [0, 20, 200] }

export class HintSource {
  readonly tools: Tools
  readonly #nudge: (entry: Entry) => void
  #processNews: ProcessNews | null = null
  /** Entries that a hint can concern. */
  #listening: readonly Entry[] = []

  /** `nudge`: this entry shall run now. */
  constructor(nudge: (entry: Entry) => void) {
    this.#nudge = nudge
    const files = new Files((path) => this.#hint({ kind: 'file', path }))
    this.tools = { processes: new ProcessTable(), files }
  }

  /** The kernel reports processes while a check can use that. */
  listenFor(entries: Iterable<Entry>): void {
    this.#listening = Array.from(entries).filter(({ prober }) => prober?.hints !== undefined)
    if (this.#listening.some(({ prober }) => prober?.hints?.of === 'process')) {
      this.#processNews ??= new ProcessNews((pid, ended) =>
        this.#hint({ kind: 'process', process: processAt(pid), ended }),
      )
      return
    }
    this.#processNews?.close()
    this.#processNews = null
  }

  close(): void {
    this.tools.files.close()
  }

  #hint(hint: Hint): void {
    for (const entry of this.#listening) {
      if (entry.prober?.hints?.concerns(hint) !== true) continue
      if (hint.kind === 'file') {
        this.#nudge(entry)
        continue
      }
      for (const delay of hint.ended ? looksMs.ended : looksMs.began)
        setTimeout(() => this.#lookAgain(entry), delay)
    }
  }

  #lookAgain(entry: Entry): void {
    this.tools.processes.forget(performance.now())
    this.#nudge(entry)
  }
}
