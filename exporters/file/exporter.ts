import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { Component, ComponentContext, Deadline } from '../../src/component/contracts.ts'
import type { Acknowledgement, Consumer, Delivery } from '../../src/component/delivery.ts'
import { SluiceError } from '../../src/errors.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { type QueuedExporter, queuedExporter } from '../../src/queue/exporter.ts'
import { NO_QUEUE, NO_RETRY } from '../../src/queue/fields.ts'
import { Fifo } from '../../src/queue/fifo.ts'
import type { SendResult } from '../../src/queue/send.ts'
import { encodeRecords, framed, type RecordFormat } from './records.ts'
import type { Rotation } from './rotation.ts'
import { Target } from './target.ts'

/** Batches that wait are written together up to this size: one system call instead of many, without a second copy of much. */
const GROUP_BYTES = 1024 * 1024

export interface FileSettings extends RecordFormat {
  readonly path: string
  readonly append: boolean
  /** Mode of directories to make; absent: make none. */
  readonly createDirectory: number | undefined
  readonly rotation: Rotation | undefined
}

/**
 * Which exporter of this thread writes which file: two would undo each other's repairs. The same one may have two
 * instances for a while, when a new configuration takes over from the old.
 */
const writers = new Map<string, { readonly id: string; instances: number }>()

function claim(file: string, id: string): void {
  const writer = writers.get(file)
  if (writer === undefined) writers.set(file, { id, instances: 1 })
  else if (writer.id === id) writer.instances++
  else {
    throw new SluiceError(
      'FILE_SHARED',
      `exporter ${id}: exporter ${writer.id} writes ${file} too; give each its own path`,
    )
  }
}

function release(file: string): void {
  const writer = writers.get(file)
  if (writer !== undefined && --writer.instances === 0) writers.delete(file)
}

interface Waiting {
  readonly batch: Batch
  readonly done: (result: SendResult) => void
}

/**
 * Writes batches in the order of their arrival, and settles each when the operating system has it. Every lane has one; they
 * encode side by side and write one after the other.
 */
export class FileExporter implements Component, Consumer {
  readonly acknowledges: Acknowledgement = 'delivered'
  readonly #settings: FileSettings
  readonly #ctx: ComponentContext
  readonly #path: string
  readonly #kit: QueuedExporter
  #target: Target | undefined
  readonly #waiting = new Fifo<Waiting>()
  #writing = false

  constructor(settings: FileSettings, ctx: ComponentContext) {
    this.#settings = settings
    this.#ctx = ctx
    this.#path = path.resolve(settings.path)
    // A file needs no queue, and a retry here would hold the sender's data in memory while the disk is full.
    this.#kit = queuedExporter({
      ctx,
      queue: NO_QUEUE,
      retry: NO_RETRY,
      timeoutMs: 0,
      send: (batch, { release }) => this.#send(batch).finally(release),
    })
  }

  async start(): Promise<void> {
    claim(this.#path, this.#ctx.id)
    try {
      const { createDirectory: mode } = this.#settings
      if (mode !== undefined) await fs.mkdir(path.dirname(this.#path), { recursive: true, mode })
      const { target, removed } = await Target.open({
        path: this.#path,
        append: this.#settings.append,
        framed: framed(this.#settings),
        rotation: this.#settings.rotation,
        clock: this.#ctx.clock,
        piece: this.#ctx.shared(this.#path),
        warn: (message) => this.#ctx.log.warn(message),
      })
      this.#target = target
      if (removed > 0) {
        this.#ctx.log.warn(`${this.#path} ended in a record that was written in part; its ${removed} bytes are removed`)
      }
    } catch (error) {
      release(this.#path)
      throw openError(error as NodeJS.ErrnoException, this.#path, this.#ctx.id)
    }
  }

  consume(delivery: Delivery): void {
    this.#kit.consume(delivery)
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#kit.stop(deadline)
    const target = this.#target
    this.#target = undefined
    if (target === undefined) return
    await target.close()
    release(this.#path)
  }

  #send(batch: Batch): Promise<SendResult> {
    return new Promise((done) => {
      this.#waiting.push({ batch, done })
      if (!this.#writing) void this.#write()
    })
  }

  async #write(): Promise<void> {
    this.#writing = true
    while (this.#waiting.length > 0) {
      const group: Waiting[] = []
      const parts: Uint8Array[] = []
      let bytes = 0
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        try {
          for (const part of await encodeRecords(next.batch, this.#settings)) {
            parts.push(part)
            bytes += part.byteLength
          }
          group.push(next)
        } catch (error) {
          // Its bytes are not OTLP: no later attempt reads them better.
          next.done(failure('reject', 'not_encodable', `cannot encode the batch: ${messageOf(error)}`))
        }
        if (bytes >= GROUP_BYTES) break
      }
      const result = await this.#append(Buffer.concat(parts, bytes))
      for (const { done } of group) done(result)
    }
    this.#writing = false
  }

  async #append(records: Uint8Array): Promise<SendResult> {
    if (this.#target === undefined) return failure('retry', 'not_open', `${this.#path} is not open`)
    try {
      await this.#target.write(records)
      return { ok: true }
    } catch (error) {
      return failure('retry', 'write_failed', `cannot write ${this.#path}: ${messageOf(error)}`)
    }
  }
}

function failure(verdict: 'retry' | 'reject', reason: string, message: string): SendResult {
  return { ok: false, verdict, reason, message }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function openError(error: NodeJS.ErrnoException, file: string, id: string): SluiceError {
  const ways: Record<string, string> = {
    ENOENT: 'its directory does not exist; make it, or set create_directory: true',
    EACCES: 'this user may not write there; change the permissions, or the path',
    EISDIR: 'it is a directory; name a file in it',
    EROFS: 'the file system is read-only; mount a volume, or change the path',
  }
  const way = ways[error.code ?? ''] ?? error.message
  return new SluiceError('FILE_OPEN', `exporter ${id}: cannot open ${file}: ${way}`, { cause: error })
}
