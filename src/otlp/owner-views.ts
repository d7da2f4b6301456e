import type { Attributes, ByteRange, ResourceCursor, ScopeCursor } from './cursors.ts'
import type { OwnerFrame } from './frame.ts'
import { Range, textOf } from './text.ts'

/** The resource of a `ResourceSpans` and its like. */
export class ResourceView implements ResourceCursor {
  readonly attributes: Attributes
  readonly #frame: OwnerFrame
  readonly #drop: () => void
  readonly #range = new Range()

  constructor(frame: OwnerFrame, drop: () => void) {
    this.#frame = frame
    this.attributes = frame.owner.attributes
    this.#drop = drop
  }

  schemaUrl(): string {
    return textOf(this.#frame.message.range(3, this.#range))
  }

  drop(): void {
    this.#drop()
  }
}

/** The instrumentation scope of a `ScopeSpans` and its like. */
export class ScopeView implements ScopeCursor {
  readonly resource: ResourceCursor
  readonly attributes: Attributes
  readonly #frame: OwnerFrame
  readonly #drop: () => void
  readonly #name = new Range()
  readonly #scratch = new Range()

  constructor(frame: OwnerFrame, resource: ResourceCursor, drop: () => void) {
    this.#frame = frame
    this.resource = resource
    this.attributes = frame.owner.attributes
    this.#drop = drop
  }

  get name(): ByteRange {
    return this.#frame.owner.range(1, this.#name)
  }

  nameText(): string {
    return textOf(this.name)
  }

  versionText(): string {
    return textOf(this.#frame.owner.range(2, this.#scratch))
  }

  setName(name: Uint8Array): void {
    this.#frame.owner.setBytes(1, name)
  }

  setVersion(version: Uint8Array): void {
    this.#frame.owner.setBytes(2, version)
  }

  drop(): void {
    this.#drop()
  }
}
