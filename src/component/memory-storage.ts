import type { Storage } from './contracts.ts'

/** Storage that lasts as long as its component. What must outlive the process needs a storage extension. */
export class MemoryStorage implements Storage {
  readonly #values = new Map<string, Uint8Array>()

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#values.get(key)
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    this.#values.set(key, value)
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key)
  }
}
