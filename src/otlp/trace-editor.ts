import type { SpanCursor } from './cursors.ts'
import { Editor } from './editor.ts'
import { layout } from './layout.ts'
import { SpanView } from './span-view.ts'

/** Edits ExportTraceServiceRequests. */
export class TraceEditor extends Editor {
  readonly signal = 'traces'
  readonly #span: SpanView

  constructor() {
    super('traces', {
      request: layout('ExportTraceServiceRequest', 'traces', [], ['resourceSpans']),
      resource: layout('ResourceSpans', 'traces', [10], ['scopeSpans']),
      scope: layout('ScopeSpans', 'traces', [10, 18], ['spans']),
    })
    this.#span = new SpanView(this.scope, () => this.dropRecord())
  }

  get span(): SpanCursor {
    return this.#span
  }

  protected get record(): SpanView {
    return this.#span
  }
}
