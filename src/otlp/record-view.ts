import type { Attributes, Fixed64, ResourceCursor, ScopeCursor } from './cursors.ts'
import type { Layout } from './layout.ts'
import { Message } from './message.ts'

/** What all cursors over records share. */
export abstract class RecordView {
  readonly message: Message
  readonly resource: ResourceCursor
  readonly scope: ScopeCursor
  readonly attributes: Attributes
  /** Set by `drop`, cleared by the editor when the cursor moves. */
  isDropped = false

  /** Called before a drop: the editor keeps the count. */
  readonly #onDrop: () => void

  constructor(layout: Layout, scope: ScopeCursor, onDrop: () => void) {
    this.message = new Message(layout)
    this.attributes = this.message.attributes
    this.scope = scope
    this.resource = scope.resource
    this.#onDrop = onDrop
  }

  drop(): void {
    this.#onDrop()
    this.isDropped = true
  }

  /** Makes edits of events, links or exemplars part of the record, before it is written. */
  settle(): void {}

  /** Gives up edits of events, links or exemplars. */
  forget(): void {}
}

/** Where a 64-bit field is read to. */
export type Fixed64Cell = { -readonly [half in keyof Fixed64]: number }

export function fixed64Cell(): Fixed64Cell {
  return { high: 0, low: 0 }
}
