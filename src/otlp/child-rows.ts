import type { ChildList } from './cursors.ts'
import type { Layout } from './layout.ts'
import { CHILD_ROW, Message } from './message.ts'

/** Events, links or exemplars of a record: one cursor that moves over the rows with one tag. */
export class ChildRows<T> implements ChildList<T> {
  readonly message: Message
  readonly current: T
  /** Which rows of the owner are meant; its kind of record may change from one to the next. */
  tag: number
  readonly #owner: Message
  #index = -1
  /** Whether `message` is open on the row, with edits that nobody kept yet. */
  #isOpen = false

  constructor(owner: Message, layout: Layout, tag: number, cursor: (message: Message) => T) {
    this.#owner = owner
    this.tag = tag
    this.message = new Message(layout)
    this.current = cursor(this.message)
  }

  get size(): number {
    let size = 0
    for (let i = 0; i < this.#owner.childCount; i++) if (this.#isThere(i)) size++
    return size
  }

  rewind(): void {
    this.settle()
    this.#index = -1
  }

  next(): boolean {
    this.settle()
    do this.#index++
    while (this.#index < this.#owner.childCount && !this.#isThere(this.#index))
    if (this.#index >= this.#owner.childCount) return false
    this.#owner.openChild(this.#index, this.message)
    this.#isOpen = true
    return true
  }

  deleteCurrent(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#owner.removeChild(this.#index)
  }

  /** Has the owner keep the edits of the current one. Before the owner is written, or gives way to the next record. */
  settle(): void {
    if (this.#isOpen && this.message.changed) this.#owner.keepChild(this.#index, this.message)
    this.#isOpen = false
  }

  /** Forgets the current one with its edits. */
  forget(): void {
    this.#isOpen = false
    this.#index = -1
  }

  #isThere(index: number): boolean {
    return this.#owner.children[index * CHILD_ROW] === this.tag && !this.#owner.childIsGone(index)
  }
}
