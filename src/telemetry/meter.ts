/** Labels of one series; values are few and known when it is made. */
export type Labels = Readonly<Record<string, string>>

export interface InstrumentOptions {
  /** One sentence: what is counted. */
  readonly description: string
  /** UCUM, as the Collector writes it: `{spans}`, `By`, `s`. */
  readonly unit?: string
}

/** A sum that only grows. One series: labels are bound when it is made, so that adding is one store. */
export interface Counter {
  add(n: number): void
}

/** A value that is set. */
export interface Gauge {
  set(value: number): void
}

/** Makes instruments. The same name and labels give the same series. */
export interface Meter {
  counter(name: string, labels: Labels, options: InstrumentOptions): Counter
  gauge(name: string, labels: Labels, options: InstrumentOptions): Gauge
}
