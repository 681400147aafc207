/**
 * What every step of lowering shares: the machine it asks, the place where it writes what it finds, and
 * the two ways in which a file can be unusable. Each finding says what is wrong and what happens instead.
 */

import type { GarpGroup } from '../announcements.ts'
import type { Word } from '../language/tree-types.ts'
import type { Place } from '../place.ts'
import type { BfdInstance, Diagnostic, Severity } from '../types.ts'
import type { World } from '../world.ts'
import type { GlobalDraft, ScriptDraft } from './draft.ts'
import { Listed } from './listed.ts'

export type Verdict = Diagnostic['verdict']

/** A guess compares a word with every keyword of its block. */
const guessesMax = 1_000

export class Lowering {
  readonly world: World
  /** The one that the daemon was told to read; others are included. */
  readonly mainFile: string
  /** global_defs, complete before any other block is read. */
  readonly globals: GlobalDraft
  readonly diagnostics: Diagnostic[] = []
  /** The scripts defined so far: a track_script names one that stands above it. */
  readonly scripts = new Map<string, ScriptDraft>()
  /** The BFD sessions defined so far. */
  readonly sessions = new Map<string, BfdInstance>()
  readonly garpGroups: GarpGroup[] = []
  /** Where the names in the lists of the draft (instances, addresses, peers, trackers) stand first. */
  readonly listed = new Listed<Place>()
  /** Findings after which the daemon would not start. */
  refusals = 0
  /** A script is run although script security is off: the place of the first. */
  insecureScript: Place | null = null
  /** The same for a script of the daemon itself, which runs whatever else is wrong. */
  insecureProcessScript: Place | null = null
  /** An interface is named that does not exist: keepalived's check looks no further then. */
  interfaceMissing = false
  /** A link that this configuration makes for itself, by name; perhaps, while the file is being read. */
  isOwnLink: (name: string) => boolean = () => false
  /** What needs script_user and script security, wherever in global_defs they stand. */
  readonly afterGlobals: (() => void)[] = []
  #lvsNoted = false
  #guesses = 0

  constructor(world: World, globals: GlobalDraft, mainFile: string) {
    this.world = world
    this.mainFile = mainFile
    this.globals = globals
  }

  report(at: Place | Word, severity: Severity, code: string, message: string, verdict: Verdict) {
    const place = 'place' in at ? at.place : at
    this.diagnostics.push({ place, severity, code, message, verdict })
  }

  /** Wrong, but the file runs without it: exit status 5. */
  error(at: Place | Word, code: string, message: string) {
    this.report(at, 'error', code, message, 'config')
  }

  /** Something that is written has no effect, and keepalived's check passes over it: no exit status. */
  lost(at: Place | Word, code: string, message: string) {
    this.report(at, 'warning', code, message, 'lost')
  }

  /** Worth a change, but what is written takes effect: no exit status. */
  warning(at: Place | Word, code: string, message: string) {
    this.report(at, 'warning', code, message, 'none')
  }

  note(at: Place | Word, code: string, message: string) {
    this.report(at, 'note', code, message, 'none')
  }

  /** The daemon would not start. The closing message says so once. */
  refuse(at: Place | Word, code: string, message: string) {
    this.refusals++
    this.error(at, code, message)
  }

  /** The same where keepalived's check counts no mistake of the file: exit status 4. */
  refuseQuietly(at: Place | Word, code: string, message: string) {
    this.refusals++
    this.report(at, 'error', code, message, 'fatal')
  }

  /** A script is run that script security was not asked about; the first of the file is remembered. */
  runsInsecure(place: Place) {
    const first = this.insecureScript
    if (first === null || (first.file === place.file && place.line < first.line)) {
      this.insecureScript = place
    }
  }

  /** A value that must be there is not: keepalived's parser ends on the spot, exit status 2. */
  missingOperand(at: Place | Word, message: string) {
    this.refusals++
    this.report(at, 'error', 'missing-operand', message, 'operand')
  }

  missingInterface(at: Place | Word, message: string) {
    this.interfaceMissing = true
    this.refuse(at, 'no-interface', message)
  }

  /** Whether the keyword that was meant may be looked for: not in a file that is no configuration. */
  mayGuess(): boolean {
    return ++this.#guesses <= guessesMax
  }

  /** The blocks of the load balancer are read and not acted on; said once. */
  noteBalancer(at: Place, name: string) {
    if (this.#lvsNoted) return
    this.#lvsNoted = true
    const message = `${name} and other blocks of the load balancer have no effect: vipd has none`
    this.note(at, 'lvs-skipped', message)
  }

  /** An interface that is named must exist unless dynamic_interfaces says otherwise. */
  interfaceIsMissing(name: string): boolean {
    const dynamic = this.globals.options.get('dynamicInterfaces') ?? false
    return !dynamic && !this.world.interfaceExists(name) && !this.isOwnLink(name)
  }
}
