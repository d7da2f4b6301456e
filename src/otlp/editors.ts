import type { Signal } from './batch.ts'
import { LogEditor } from './log-editor.ts'
import { MetricEditor } from './metric-editor.ts'
import { TraceEditor } from './trace-editor.ts'

/** An editor of one of the three signals; `signal` tells which. */
export type AnyEditor = TraceEditor | MetricEditor | LogEditor

/** A new editor of `signal`. Profiles have none: they pass as they came. */
export function editorFor(signal: 'traces'): TraceEditor
export function editorFor(signal: 'metrics'): MetricEditor
export function editorFor(signal: 'logs'): LogEditor
export function editorFor(signal: Signal): AnyEditor | undefined
export function editorFor(signal: Signal): AnyEditor | undefined {
  switch (signal) {
    case 'traces':
      return new TraceEditor()
    case 'metrics':
      return new MetricEditor()
    case 'logs':
      return new LogEditor()
    default:
      return undefined
  }
}
