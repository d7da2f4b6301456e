/** Plots as SVG text; colours are the page's, by class. Coordinates are those of a view box of WIDTH by the height of the plot. */
const WIDTH = 760
const LEFT = 64
const RIGHT = 28
const LABELS = 250
const ROW = 26
/** More points than this are more than there are pixels. */
const MOST_POINTS = 500
/** Of text of 12 pixels, so that legends do not run into each other. */
const CHARACTER = 7

export interface Bar {
  readonly label: string
  readonly value: number
  readonly min: number
  readonly max: number
  /** What it should reach. */
  readonly target?: number | undefined
}

export interface Line {
  readonly engine: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Axes {
  readonly x: string
  readonly y: string
  /** Where the x axis has a text, and which; round numbers from 0 if absent. */
  readonly ticks?: readonly (readonly [x: number, label: string])[]
}

/** Horizontal bars with their spread and a mark at the target; a line at 1. */
export function bars(title: string, rows: readonly Bar[], unit: string): string {
  const top = 40
  const height = top + rows.length * ROW + 24
  const most = Math.max(1, ...rows.map(({ max, target = 0 }) => Math.max(max, target)))
  const end = WIDTH - RIGHT - 110
  const x = (value: number): number => LABELS + (value / most) * (end - LABELS)
  const bottom = top + rows.length * ROW
  const upright = (value: number, look: string): string =>
    `<path class="${look}" d="M${round(x(value))} ${top - 6}V${bottom}"/>`
  const grid = roundTicks(most)
    .filter((tick) => tick <= most)
    .map((tick) => upright(tick, 'grid') + text(x(tick), bottom + 14, `${short(tick)}${unit}`, 'middle', 'faint'))
  const body = rows.map(({ label, value, min, max, target }, i) => {
    const y = top + i * ROW
    const middle = y + (ROW - 8) / 2
    const mark = target === undefined ? '' : `<path class="target" d="M${round(x(target))} ${y - 3}v${ROW - 2}"/>`
    const verdict = target === undefined ? '' : ` ${value >= target ? '✓' : '✗'} ≥ ${short(target)}${unit}`
    return [
      text(LABELS - 10, middle + 4, label, 'end'),
      `<rect class="bar" x="${LABELS}" y="${y}" width="${round(x(value) - LABELS)}" height="${ROW - 8}" rx="2"/>`,
      min === max ? '' : `<path class="spread" d="M${round(x(min))} ${middle}H${round(x(max))}"/>`,
      mark,
      text(x(Math.max(max, target ?? 0)) + 8, middle + 4, `${value.toFixed(2)}${unit}${verdict}`),
    ].join('')
  })
  return svg(title, height, [...grid, ...body, upright(1, 'one')].join(''))
}

/** Lines from 0 upwards, one colour an engine. */
export function lines(title: string, series: readonly Line[], axes: Axes): string {
  const height = 290
  const top = 62
  const bottom = height - 40
  const points = series.flatMap((line) => line.points)
  if (points.length === 0) return ''
  const xs = points.map(([x]) => x)
  const from = axes.ticks === undefined ? 0 : Math.min(...xs)
  const xTicks = axes.ticks ?? roundTicks(Math.max(...xs)).map((tick): [number, string] => [tick, short(tick)])
  const to = Math.max(...xs, ...xTicks.map(([tick]) => tick))
  const yTicks = roundTicks(Math.max(...points.map(([, y]) => y)))
  const most = yTicks.at(-1)!
  const x = (value: number): number => LEFT + ((value - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT)
  const y = (value: number): number => bottom - (value / most) * (bottom - top)
  const grid = yTicks.map((tick) => {
    const at = round(y(tick))
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/>${text(LEFT - 8, at + 4, short(tick), 'end', 'faint')}`
  })
  const ticks = xTicks.map(([value, label]) => text(x(value), bottom + 18, label, 'middle', 'faint'))
  const paths = series.map(({ engine, points }) => {
    const d = thinned(points).map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${round(x(px))} ${round(y(py))}`)
    return `<path class="line ${escapeHtml(engine)}" d="${d.join('')}"/>`
  })
  const names =
    text(WIDTH - RIGHT, bottom + 34, axes.x, 'end', 'faint') + text(LEFT - 8, top - 10, axes.y, 'end', 'faint')
  return svg(
    title,
    height,
    [...grid, ...ticks, ...paths, legend([...new Set(series.map(({ engine }) => engine))]), names].join(''),
  )
}

function legend(engines: readonly string[]): string {
  let at = LEFT
  return engines
    .map((engine) => {
      const key = `<rect class="key ${escapeHtml(engine)}" x="${at}" y="32" width="12" height="12" rx="2"/>`
      const name = text(at + 17, 42, engine)
      at += 17 + engine.length * CHARACTER + 18
      return key + name
    })
    .join('')
}

/** The highest of neighbours, so that no peak is left out. */
function thinned(points: Line['points']): Line['points'] {
  const each = Math.ceil(points.length / MOST_POINTS)
  if (each === 1) return points
  const kept: (readonly [number, number])[] = []
  for (let i = 0; i < points.length; i += each) {
    kept.push(points.slice(i, i + each).reduce((highest, point) => (point[1] > highest[1] ? point : highest)))
  }
  return kept
}

/** From 0 to the first round number at or above `most`, by steps of 1, 2 or 5 times a power of ten. */
export function roundTicks(most: number): readonly number[] {
  if (!(most > 0)) return [0, 1]
  const power = 10 ** Math.floor(Math.log10(most / 4))
  const step = [1, 2, 5, 10].map((times) => times * power).find((step) => most / step <= 5)!
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step)
}

function svg(title: string, height: number, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">` +
    `<text class="title" x="0" y="16">${escapeHtml(title)}</text>${body}</svg>`
  )
}

function text(x: number, y: number, content: string, anchor = 'start', look = ''): string {
  const of = look === '' ? '' : ` class="${look}"`
  return `<text${of} x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeHtml(content)}</text>`
}

const round = (value: number): number => Math.round(value * 10) / 10
/** Three digits, without zeros at the end. */
const short = (value: number): string => String(Number(value.toPrecision(3)))

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
