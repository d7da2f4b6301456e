/** Where something stands in a `Line`. */
export interface Place<T> {
  readonly item: T
  before: Place<T>
  after: Place<T>
}

/**
 * Those who wait for their turn. Whoever gives up leaves from the middle at once: what stands still for hours must not
 * collect those who came and went.
 */
export class Line<T> {
  readonly #ends: Place<T>
  #length = 0

  constructor() {
    // Both ends in one, so that no place has a missing neighbour.
    const ends = { item: undefined as T } as Place<T>
    ends.before = ends
    ends.after = ends
    this.#ends = ends
  }

  get length(): number {
    return this.#length
  }

  get first(): T | undefined {
    return this.#length === 0 ? undefined : this.#ends.after.item
  }

  /** To the back. */
  push(item: T): Place<T> {
    return this.#insert(item, this.#ends.before, this.#ends)
  }

  /** To the front. */
  unshift(item: T): Place<T> {
    return this.#insert(item, this.#ends, this.#ends.after)
  }

  /** Takes the one in front. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const { after } = this.#ends
    this.leave(after)
    return after.item
  }

  /** Once for each place. */
  leave(place: Place<T>): void {
    place.before.after = place.after
    place.after.before = place.before
    this.#length--
  }

  #insert(item: T, before: Place<T>, after: Place<T>): Place<T> {
    const place = { item, before, after }
    before.after = place
    after.before = place
    this.#length++
    return place
  }
}
