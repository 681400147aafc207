/** Orders: the token becomes a session, a question says what will happen, the answer says what did. */
import type { HandOver } from '../../report/hand-over.ts'
import type { Consequence } from './consequences.ts'
import { byId, el, say, show } from './dom.ts'
import { measuredText } from './words.ts'

export type Verb = 'failover' | 'drain' | 'resume' | 'reload' | 'check'

type Answered = { readonly ok: boolean; readonly text: string }

async function post(path: string, body: object): Promise<{ ok: boolean; value: unknown }> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { ok: response.ok, value: await response.json() }
}

async function order(verb: Verb, name: string | null): Promise<Answered> {
  try {
    const { ok, value } = await post(`/api/v1/${verb}`, name === null ? {} : { name })
    if (ok && verb === 'reload') return reloaded(value)
    return { ok, text: ok ? doneText(verb, value) : refusalText(value) }
  } catch {
    return { ok: false, text: 'No answer came: it may have happened all the same.' }
  }
}

/** Of what a reload says. */
const linesMost = 20

const refusalText = (value: unknown): string => {
  const { error } = value as { readonly error?: { readonly message?: unknown } }
  return `Refused: ${typeof error?.message === 'string' ? error.message : 'without a reason'}`
}

const outcomes: Readonly<Record<HandOver['outcome'], (it: HandOver) => string>> = {
  'handed-over': ({ to, tookMs }) => `${to ?? 'a peer'} took over after ${measuredText(tookMs)}`,
  'was-not-master': () => 'it was not master here',
  kept: () => 'no peer took over: it is still master here',
  pending: () => 'no peer has taken over yet; it goes on',
  owner: () => 'it owns its address: no peer can take over',
  left: () => 'it is no longer master here, for a reason of its own',
}

function doneText(verb: Verb, value: unknown): string {
  const { result } = value as { readonly result?: unknown }
  if (verb === 'check') return 'It was told to run.'
  if (verb === 'resume') return 'Done.'
  const moved = Array.isArray(result) ? (result as readonly HandOver[]) : []
  if (moved.length === 0) return 'Done: nothing had to move.'
  return moved.map((it) => `${it.name}: ${outcomes[it.outcome]?.(it) ?? it.outcome}`).join('\n')
}

/** A file with mistakes is an answer, and no refusal of the order. */
function reloaded(value: unknown): Answered {
  const { result } = value as { readonly result?: unknown }
  const told = (result ?? {}) as {
    readonly ok?: unknown
    readonly diagnostics?: unknown
    readonly changes?: unknown
  }
  const lines = (some: unknown): readonly string[] =>
    Array.isArray(some) ? some.slice(0, linesMost).map(String) : []
  if (told.ok !== true)
    return {
      ok: false,
      text: ['Rejected, nothing has changed:', ...lines(told.diagnostics)].join('\n'),
    }
  const changes = lines(told.changes)
  return {
    ok: true,
    text: changes.length === 0 ? 'Done: nothing was different.' : changes.join('\n'),
  }
}

/** Asks first; `settled` is called once it is known what became of it. */
export function askAndOrder(
  verb: Verb,
  name: string | null,
  { title, lines }: Consequence,
  settled: () => void,
): void {
  const dialog = byId('confirm')
  if (!(dialog instanceof HTMLDialogElement)) return
  const cancel = el('button', { type: 'button' }, 'Cancel')
  const go = el('button', { type: 'button', class: 'act' }, title.replace(/\?$/, ''))
  const outcome = el('p', { class: 'outcome', role: 'status' })
  cancel.addEventListener('click', () => dialog.close())
  go.addEventListener('click', async () => {
    go.disabled = true
    say(outcome, 'Ordered; waiting for what becomes of it …')
    const { ok, text } = await order(verb, name)
    outcome.classList.toggle('failed', !ok)
    say(outcome, text)
    say(cancel, 'Close')
    go.hidden = true
    cancel.focus()
    settled()
  })
  dialog.replaceChildren(
    el('h2', { id: 'confirm-title' }, title),
    ...lines.map((line) => el('p', {}, line)),
    outcome,
    el('div', { class: 'buttons' }, cancel, go),
  )
  dialog.showModal()
  cancel.focus()
}

/** `opened`: the browser has a session now. */
export function makeSignIn(opened: () => Promise<void>): (needed: 'read' | 'act' | null) => void {
  const section = byId('sign-in')
  const why = el('p', {})
  const input = el('input', {
    ...{ type: 'password', id: 'token', autocomplete: 'off', required: '' },
  })
  const outcome = el('p', { class: 'outcome failed', role: 'alert' })
  const form = el(
    'form',
    {},
    el('label', { for: 'token' }, 'Token'),
    input,
    el('button', { type: 'submit' }, 'Use it'),
  )
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    try {
      const { ok, value } = await post('/api/v1/session', { token: input.value })
      input.value = ''
      say(outcome, ok ? '' : refusalText(value))
      if (ok) await opened()
    } catch {
      say(outcome, 'No answer came.')
    }
  })
  section.append(why, form, outcome)
  return (needed) => {
    show(section, needed !== null)
    if (needed !== null)
      say(
        why,
        needed === 'read'
          ? 'This address wants a token before it tells anything. The browser keeps a session for it, not the token.'
          : 'With the token to act this page can order fail-overs. The browser keeps a session for it, not the token.',
      )
  }
}
