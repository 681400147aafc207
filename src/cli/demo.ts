#!/usr/bin/env node
/**
 * `npm run demo`: the story of src/lab/story.ts on this machine, without root, in under a minute. Exits 0 only if
 * everything in it happened.
 */
import type { DaemonKind } from '../lab/daemon.ts'
import { ensureNamespaces } from '../lab/namespaces.ts'
import { tellStory } from '../lab/story.ts'

ensureNamespaces()

/** For trying the lab itself: `demo.js keepalived vipd` puts another daemon on node1. */
const kind = (word: string | undefined): DaemonKind =>
  word === 'keepalived' ? 'keepalived' : 'vipd'
const [, , first, second] = process.argv

const say = (line: string): void => void process.stdout.write(`${line}\n`)
try {
  await tellStory({ daemons: [kind(first), kind(second)], say })
  say('\nEverything happened as it should.')
} catch (error) {
  say(`\nFAILED: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
