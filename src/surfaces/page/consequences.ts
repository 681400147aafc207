/** What a button does, in words, before it is pressed. */
import type { Status, StatusInstance } from '../../report/status.ts'
import { count, spanText } from './words.ts'

export type Consequence = {
  readonly title: string
  readonly lines: readonly string[]
}

const cannotKnow =
  'Whether a backup is there cannot be seen from here, since backups are silent. If none takes over, this host goes on serving, and this page says so.'

type Side = {
  readonly peer: {
    readonly url: string
    readonly why: string | null
    readonly summary: { readonly host: string } | null
  }
  readonly it: { readonly state: string; readonly effectivePriority: number } | null
  readonly ageMs: number
}

/** What the peers say of an instance; null: none is asked. */
export function heardOf(sides: readonly Side[]): string | null {
  if (sides.length === 0) return null
  return sides.map(heardFrom).join(' ')
}

function heardFrom({ peer: { url, why, summary }, it, ageMs }: Side): string {
  const host = summary?.host ?? url
  if (why !== null) return `${host} does not answer (${why}): it may not be able to take over.`
  if (it === null) return `${host} does not have this instance: it cannot take over.`
  const said = `${host} said ${spanText(ageMs)} ago: ${it.state} with priority ${it.effectivePriority}.`
  if (it.state === 'BACKUP') return `${said} It takes over.`
  return it.state === 'MASTER' ? said : `${said} It cannot take over in that state.`
}

export type Heard = (name: string) => string | null

/** `heard`: what the peer says of that instance, a sentence; null: it is not known. */
export function ofFailover(
  { name, effectivePriority, basePriority }: StatusInstance,
  { groups }: Status,
  heard: Heard,
): Consequence {
  const group = groups.find(({ members }) => members.includes(name))
  const together = group !== undefined && group.members.length > 1
  return {
    title: `Fail over ${name}?`,
    lines: [
      `${name} is master here with priority ${effectivePriority}. It says priority 1 and goes on serving until a backup has taken over: clients notice milliseconds at most.`,
      ...(together
        ? [`Its sync group ${group.name} moves as a whole: ${group.members.join(', ')}.`]
        : []),
      ...(basePriority === 255
        ? ['It owns its address (priority 255): no peer can take over, and the daemon will refuse.']
        : []),
      heard(name) ?? cannotKnow,
      'Afterwards it stands by with priority 1, until “Resume”.',
    ],
  }
}

export function ofDrain({ host, instances }: Status, heard: Heard): Consequence {
  const masters = instances.filter(({ state }) => state === 'MASTER').map(({ name }) => name)
  const told = masters.slice(0, 8).flatMap((name) => heard(name) ?? [])
  return {
    title: `Drain ${host}?`,
    lines: [
      masters.length === 0
        ? 'No instance is master here: nothing moves now.'
        : `${count(masters.length, 'instance')} will be given away while served: ${namesText(masters)}.`,
      ...(masters.length > 0 && told.length === 0 ? [cannotKnow] : told),
      `Until “Resume” all instances of ${host} stand by with priority 1: they take over only when no peer does. A restart of the daemon ends it, too.`,
    ],
  }
}

export function ofResume(status: Status, it: StatusInstance | null): Consequence {
  const back = it === null ? status.instances : [it]
  const above = back.filter(
    ({ master, basePriority }) => master !== null && !master.self && basePriority > master.priority,
  )
  const moves = above.map(
    ({ name, basePriority, master }) => `${name} (${basePriority} against ${master?.priority})`,
  )
  return {
    title: it === null ? `Resume ${status.host}?` : `Resume ${it.name}?`,
    lines: [
      `${it === null ? 'All instances' : it.name} will take part with the configured priority again.`,
      moves.length === 0
        ? 'The present masters keep the lead, as far as their last adverts say.'
        : `Unless nopreempt is set, the lead comes back here: ${namesText(moves)}.`,
    ],
  }
}

export function ofReload({ config }: Status): Consequence {
  const disk = {
    true: 'It is as it was when it was read: nothing will change, unless a file that it includes has.',
    false: 'It has changed since it was read.',
    unknown: 'Whether it has changed since is not known: the disk does not answer.',
  }
  return {
    title: 'Reload the configuration?',
    lines: [
      `${config.path} is read again. ${disk[`${config.unchangedOnDisk}`]}`,
      'With a mistake in it nothing at all changes, and what is wrong is said here.',
      'What is altered takes effect at once; instances that stay the same keep their state. `vipd check` on the host says beforehand what a file means.',
    ],
  }
}

export const ofCheck = (name: string): Consequence => ({
  title: `Run ${name} now?`,
  lines: [
    'It runs once, before its turn. The result counts like every other: it can move priorities.',
  ],
})

const namesText = (names: readonly string[]): string =>
  names.length <= 8
    ? names.join(', ')
    : `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`
