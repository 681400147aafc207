/** The little that the page needs to make and change elements. What is shown is text, never markup. */

type Attributes = Readonly<Record<string, string | number>>

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  made.append(...children)
  return made
}

export function svg(
  tag: string,
  attributes: Attributes = {},
  ...children: readonly Node[]
): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  made.append(...children)
  return made
}

/** Untouched while it says that already: a selection in it stays, and a screen reader is silent. */
export function say(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

export function show(node: HTMLElement, visible: boolean): void {
  if (node.hidden === visible) node.hidden = !visible
}

/** By its id in index.html. Throws when it is not there. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`no element ${id}`)
  return found
}

export type Shown<T> = { readonly root: HTMLElement; readonly update: (item: T) => void }

/** Elements that stay the same while their item is there, in the order of the items. */
export class Keyed<T> {
  readonly #parent: Element
  readonly #keyOf: (item: T) => string
  readonly #make: (item: T) => Shown<T>
  #shown = new Map<string, Shown<T>>()

  constructor(parent: Element, keyOf: (item: T) => string, make: (item: T) => Shown<T>) {
    this.#parent = parent
    this.#keyOf = keyOf
    this.#make = make
  }

  set(items: readonly T[]): void {
    const next = new Map<string, Shown<T>>()
    for (const item of items) {
      const key = this.#keyOf(item)
      next.set(key, this.#shown.get(key) ?? this.#make(item))
    }
    for (const [key, { root }] of this.#shown) if (!next.has(key)) root.remove()
    this.#shown = next
    let before: Element | null = null
    for (const { root } of next.values()) {
      const inPlace: boolean =
        root.previousElementSibling === before && root.parentElement === this.#parent
      if (!inPlace && before === null) this.#parent.prepend(root)
      else if (!inPlace) before?.after(root)
      before = root
    }
    for (const item of items) next.get(this.#keyOf(item))?.update(item)
  }
}
