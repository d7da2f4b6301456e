/** Of the page of `html.ts`: light and dark, one colour an engine, in plots and legends alike. */
export const STYLE = `
:root { color-scheme: light dark; --text: #212529; --faint: #6c757d; --back: #fff; --panel: #f6f7f9; --rule: #dee2e6;
  --good: #2b8a3e; --bad: #c92a2a; --sluice: #0b7285; --otelcol: #e8590c; --gogc400: #b07400; --rotel: #862e9c; --protobufjs: #5c940d; --raw: #868e96 }
@media (prefers-color-scheme: dark) { :root { --text: #e9ecef; --faint: #9aa3ac; --back: #16191d; --panel: #1f242a; --rule: #343a40;
  --good: #69db7c; --bad: #ff8787; --sluice: #3bc9db; --otelcol: #ff922b; --gogc400: #ffd43b; --rotel: #da77f2; --protobufjs: #a9e34b; --raw: #adb5bd } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1240px; margin: 2rem auto; padding: 0 1.25rem; color: var(--text); background: var(--back) }
h1 { margin-bottom: 0.2rem } h2 { margin: 0 0 0.2rem; font-size: 1.25rem } p { margin: 0.3rem 0 0.8rem; max-width: 75ch } a { color: var(--sluice) }
section { border-top: 1px solid var(--rule); padding: 1.2rem 0 }
.machine, .summary, footer { color: var(--faint) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; background: var(--panel) }
th, td { padding: 0.3rem 0.7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule) }
th { font-weight: 600; color: var(--faint) } th:first-child, td:first-child { text-align: left; font-weight: 600 }
td small { display: block; color: var(--faint) }
ul { margin: 0.8rem 0; padding-left: 1.2rem; max-width: 110ch } li { margin: 0.15rem 0 }
.reached::marker { content: "✓  "; color: var(--good) } .missed::marker { content: "✗  "; color: var(--bad) }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 1rem 2rem; margin-top: 1rem }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif } .wide svg { max-width: 960px }
svg text { fill: var(--text) } svg text.faint { fill: var(--faint) } svg text.title { font-weight: 600; font-size: 13px }
.grid { stroke: var(--rule) } .one { stroke: var(--text); stroke-dasharray: 3 3 }
.bar { fill: var(--sluice) } .spread { stroke: var(--text); stroke-width: 2 } .target { stroke: var(--bad); stroke-width: 3 }
.line { fill: none; stroke-width: 1.8; stroke: var(--raw) } .key { fill: var(--raw) }
.line.sluice { stroke: var(--sluice) } .key.sluice { fill: var(--sluice) }
.line.otelcol { stroke: var(--otelcol) } .key.otelcol { fill: var(--otelcol) }
.line.otelcol-gogc400 { stroke: var(--gogc400) } .key.otelcol-gogc400 { fill: var(--gogc400) }
.line.rotel { stroke: var(--rotel) } .key.rotel { fill: var(--rotel) }
.line.protobufjs { stroke: var(--protobufjs) } .key.protobufjs { fill: var(--protobufjs) }
`
