/** The looks of the HTML report, for light and dark. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5c6675; --line: #d8dde5; --ground: #ffffff; --panel: #f6f8fa; --bad: #b3261e; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --soft: #9aa4b2; --line: #323a46; --ground: #12161c; --panel: #1a2028; --bad: #ff8a80; --good: #5fd37d; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p, li { max-width: 60rem; }
.soft { color: var(--soft); }
.bad { color: var(--bad); }
.good { color: var(--good); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
td.text { white-space: normal; min-width: 14rem; }
tr.control td { color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
figure { margin: 0; padding: .75rem; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .5rem; }
figcaption span { font-weight: 400; color: var(--soft); }
.u-legend { color: var(--ink); font-size: .8rem; text-align: left; }
.u-legend th { color: var(--ink); font-weight: 400; }
.u-legend th, .u-legend td { border: 0; padding: .1rem .3rem; }
.u-legend .u-marker { border-radius: 50%; }
`

/** Draws the plots that the page's data describes; anew when the colours or the width change. */
export const PAGE_SCRIPT = `
'use strict'
const plots = JSON.parse(document.getElementById('plots').textContent)
const LIGHT = ['#57606a', '#8c959f', '#0969da', '#bc4c00', '#1a7f37', '#8250df', '#bf3989', '#9a6700', '#0e7c86', '#cf222e', '#4d6b00', '#6639ba']
const DARK = ['#8b949e', '#6e7681', '#58a6ff', '#f0883e', '#3fb950', '#bc8cff', '#f778ba', '#d29922', '#39c5cf', '#ff7b72', '#a5c261', '#d2a8ff']
const dark = matchMedia('(prefers-color-scheme: dark)')
const three = (value) => value == null ? '–' : value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
const time = (ms) => ms == null ? '–' : ms < 1000 ? three(ms) + ' ms' : three(ms / 1000) + ' s'
const rate = (bytes) => bytes == null ? '–' : bytes < 1e3 ? three(bytes) + ' B/s' : bytes < 1e6 ? three(bytes / 1e3) + ' kB/s' : bytes < 1e9 ? three(bytes / 1e6) + ' MB/s' : three(bytes / 1e9) + ' GB/s'
const say = { time, rate }

function draw(plot) {
  const place = document.getElementById(plot.id)
  const colours = dark.matches ? DARK : LIGHT
  const style = getComputedStyle(document.documentElement)
  const ink = style.getPropertyValue('--soft').trim()
  const line = style.getPropertyValue('--line').trim()
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } }
  const values = say[plot.unit]
  const label = (x) => {
    const tick = plot.ticks.find(({ at }) => Math.abs(at - x) < 0.01)
    return tick === undefined ? '' : tick.label
  }
  const nearest = (x) => plot.ticks.reduce((best, tick) => Math.abs(tick.at - x) < Math.abs(best.at - x) ? tick : best)
  place.replaceChildren()
  new uPlot({
    width: place.clientWidth,
    height: 300,
    padding: [12, 28, 0, 0],
    scales: { x: { time: false, range: plot.range }, y: { distr: 3, log: 10 } },
    axes: [
      { ...axis, splits: () => plot.ticks.map(({ at }) => at), values: (_, splits) => splits.map(label) },
      { ...axis, size: 76, values: (_, splits) => splits.map((y) => y == null || Math.abs(Math.log10(y) - Math.round(Math.log10(y))) > 1e-6 ? '' : values(y)) },
    ],
    series: [
      { label: plot.x, value: (_, x) => x == null ? '–' : nearest(x).label },
      ...plot.series.map(({ name, colour, dots }) => ({
        label: name,
        stroke: colours[colour % colours.length],
        width: 2,
        spanGaps: true,
        dash: colour < 2 ? [6, 4] : undefined,
        points: { show: true, size: dots ? 9 : 5, fill: colours[colour % colours.length] },
        ...(dots ? { paths: () => null } : {}),
        value: (_, y) => values(y),
      })),
    ],
  }, plot.data, place)
}

const drawAll = () => plots.forEach(draw)
drawAll()
dark.addEventListener('change', drawAll)
let width = innerWidth
addEventListener('resize', () => {
  if (innerWidth === width) return
  width = innerWidth
  drawAll()
})
`
