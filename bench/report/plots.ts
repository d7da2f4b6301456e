/** Plots as SVG text. Coordinates are those of a view box of WIDTH by the height of the plot. */
const WIDTH = 760
const LEFT = 150
const RIGHT = 20
const COLORS: Readonly<Record<string, string>> = {
  sluice: '#0b7285',
  otelcol: '#e8590c',
  'otelcol-gogc400': '#f59f00',
  rotel: '#862e9c',
  protobufjs: '#5c940d',
  'grpc-raw': '#868e96',
}

export interface Bar {
  readonly label: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly engine: string
  /** What it should reach. */
  readonly target?: number | undefined
}

export interface Line {
  readonly engine: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** Horizontal bars with their spread and a mark at the target. */
export function bars(title: string, rows: readonly Bar[], unit: string): string {
  const height = 24
  const top = 34
  const most = Math.max(1, ...rows.map(({ max, target = 0 }) => Math.max(max, target)))
  const x = (value: number): number => LEFT + 90 + (value / most) * (WIDTH - LEFT - 90 - RIGHT - 60)
  const body = rows.map(({ label, value, min, max, engine, target }, i) => {
    const y = top + i * height
    const middle = y + height / 2 - 3
    return [
      text(LEFT + 80, y + 14, label, 'end'),
      `<rect x="${x(0)}" y="${y}" width="${round(x(value) - x(0))}" height="${height - 6}" fill="${color(engine)}"/>`,
      `<path d="M${round(x(min))} ${middle}H${round(x(max))}" stroke="#212529" stroke-width="2"/>`,
      target === undefined
        ? ''
        : `<path d="M${round(x(target))} ${y - 2}v${height - 2}" stroke="#c92a2a" stroke-width="2"/>`,
      text(x(Math.max(max, target ?? 0)) + 6, y + 14, `${value.toFixed(2)}${unit}`),
    ].join('')
  })
  return svg(title, top + rows.length * height + 10, body.join(''))
}

/** Lines over a linear or logarithmic x axis. */
export function lines(
  title: string,
  series: readonly Line[],
  axes: {
    readonly x: string
    readonly y: string
    readonly logX?: boolean
    readonly ticks?: readonly [number, string][]
  },
): string {
  const height = 260
  const top = 34
  const bottom = height - 40
  const left = 70
  const points = series.flatMap((line) => line.points)
  if (points.length === 0) return ''
  const scale = (value: number): number => (axes.logX ? Math.log10(Math.max(value, 1e-6)) : value)
  const xs = points.map(([x]) => scale(x))
  const from = Math.min(...xs)
  const width = Math.max(...xs) - from || 1
  const most = Math.max(...points.map(([, y]) => y)) || 1
  const x = (value: number): number => left + ((scale(value) - from) / width) * (WIDTH - left - RIGHT)
  const y = (value: number): number => bottom - (value / most) * (bottom - top)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = round(y(share * most))
    return `<path d="M${left} ${at}H${WIDTH - RIGHT}" stroke="#dee2e6"/>${text(left - 6, at + 4, short(share * most), 'end')}`
  })
  const ticks = (
    axes.ticks ??
    [0, 0.25, 0.5, 0.75, 1].map((share): [number, string] => {
      const value = axes.logX ? 10 ** (from + share * width) : from + share * width
      return [value, short(value)]
    })
  ).map(([value, label]) => text(x(value), bottom + 16, label, 'middle'))
  const paths = series.map(({ engine, points }) => {
    const d = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${round(x(px))} ${round(y(py))}`).join('')
    return `<path d="${d}" fill="none" stroke="${color(engine)}" stroke-width="1.5" opacity="0.8"/>`
  })
  const engines = [...new Set(series.map(({ engine }) => engine))]
  const legend = engines.map((engine, i) => {
    const at = left + i * 130
    return `<rect x="${at}" y="${height - 14}" width="10" height="10" fill="${color(engine)}"/>${text(at + 14, height - 5, engine)}`
  })
  const names = text(WIDTH - RIGHT, bottom + 32, axes.x, 'end') + text(left, top - 6, axes.y)
  return svg(title, height, [...grid, ...ticks, ...paths, ...legend, names].join(''))
}

function svg(title: string, height: number, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">` +
    `<text x="0" y="14" font-weight="bold">${escapeHtml(title)}</text>${body}</svg>`
  )
}

function text(x: number, y: number, content: string, anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeHtml(content)}</text>`
}

const color = (engine: string): string => COLORS[engine] ?? '#495057'
const round = (value: number): number => Math.round(value * 10) / 10
const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2)

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
