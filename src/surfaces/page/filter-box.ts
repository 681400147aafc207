/** The box in which the words are typed, and how many instances have them. */
import { el, say } from './dom.ts'
import { wordsOf } from './filter.ts'
import { count } from './words.ts'

export type Filter = {
  readonly root: HTMLElement
  readonly words: () => readonly string[]
  readonly say: (shown: number, all: number) => void
}

/** `/` leads into the box from anywhere on the page, Escape empties it. `changed`: after each letter. */
export function makeFilter(changed: () => void): Filter {
  const input = el('input', {
    ...{ type: 'search', id: 'filter', autocomplete: 'off', spellcheck: 'false' },
    ...{ placeholder: 'Name, state, address', 'aria-label': 'Show only instances with' },
    ...{ title: 'Key: /', 'aria-keyshortcuts': '/' },
  })
  const outcome = el('span', { class: 'shown', role: 'status' })
  let words: readonly string[] = []
  const take = () => {
    words = wordsOf(input.value)
    changed()
  }
  input.addEventListener('input', take)
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return
    input.value = ''
    take()
  })
  document.addEventListener('keydown', (event) => {
    const { target } = event
    const writes = target instanceof HTMLInputElement
    if (event.key !== '/' || writes || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    input.focus()
    input.select()
  })
  return {
    root: el('div', { class: 'filter' }, input, outcome),
    words: () => words,
    say: (shown, all) =>
      say(outcome, words.length === 0 ? '' : `${shown} of ${count(all, 'instance')}`),
  }
}
