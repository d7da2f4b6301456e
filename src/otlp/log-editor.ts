import type { LogCursor } from './cursors.ts'
import { Editor } from './editor.ts'
import { layout } from './layout.ts'
import { LogView } from './log-view.ts'

/** Edits ExportLogsServiceRequests. */
export class LogEditor extends Editor {
  readonly signal = 'logs'
  readonly #log: LogView

  constructor() {
    super('logs', {
      request: layout('ExportLogsServiceRequest', 'logs', [], ['resourceLogs']),
      resource: layout('ResourceLogs', 'logs', [10], ['scopeLogs']),
      scope: layout('ScopeLogs', 'logs', [10, 18], ['logRecords']),
    })
    this.#log = new LogView(this.scope, () => this.dropRecord())
  }

  get log(): LogCursor {
    return this.#log
  }

  protected get record(): LogView {
    return this.#log
  }
}
