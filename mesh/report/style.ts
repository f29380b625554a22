/** The page's style: light or dark as the reader's system is or as the switch says, nothing fetched. */
export const style = `
:root { color-scheme: light dark; --paper: light-dark(#fbfbfa, #14171b); --ink: light-dark(#1d2126, #e6e9ec);
  --soft: light-dark(#59636d, #a3adb7); --rule: light-dark(#dcdfe3, #2b3138); --card: light-dark(#ffffff, #1b1f25);
  --low: light-dark(#1f8a5c, #3fbf8a); --some: light-dark(#7a9400, #b7cf45); --high: light-dark(#d07f00, #f0a733);
  --over: light-dark(#cc2f27, #ff6a5e); --unknown: light-dark(#8b95a1, #77828d); --line: light-dark(#8f9ba8, #66727e);
  --mark: light-dark(#2458d3, #7ea6ff); }
:root[data-theme=light] { color-scheme: light; } :root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; overflow-wrap: anywhere; }
body > :not(#mesh), #mesh > :not(.stage) { max-width: 1452px; margin-inline: auto; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 18px; margin: 40px 0 8px; } h3 { font-size: 15px; margin: 20px 0 4px; } p { margin: 6px 0; }
a { color: var(--mark); } .soft { color: var(--soft); } .score { font-size: 44px; font-weight: 650; line-height: 1.1; }
header { display: flex; gap: 12px 32px; align-items: baseline; flex-wrap: wrap; }
nav { align-items: center; display: flex; gap: 4px 18px; flex-wrap: wrap; margin: 12px 0; font-size: 14px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: normal; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.long { min-width: 260px; } .scroll { overflow-x: auto; }
.mark { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 7px; background: var(--unknown); }
.mark.low { background: var(--low); } .mark.some { background: var(--some); } .mark.high { background: var(--high); } .mark.over { background: var(--over); }
.finding { border-left: 3px solid var(--rule); padding: 4px 0 4px 12px; margin: 12px 0; } .finding.high { border-color: var(--over); } .finding.medium { border-color: var(--high); }
.finding code { font-size: 12.5px; color: var(--soft); }
:target { outline: 2px solid var(--mark); outline-offset: 4px; }
button, select { font: inherit; font-size: 13.5px; color: var(--ink); background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 4px 10px; cursor: pointer; }
button[aria-pressed=true] { border-color: var(--mark); color: var(--mark); } select { max-width: 100%; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
.controls, .legend { display: flex; gap: 8px 14px; flex-wrap: wrap; align-items: center; font-size: 13.5px; margin: 8px 0; }
.controls label { display: inline-flex; gap: 5px; align-items: center; min-width: 0; max-width: 100%; } .controls select { min-width: 0; flex: 1; } .legend { color: var(--soft); font-size: 13px; } .legend svg { vertical-align: middle; margin-right: 6px; }
.stage { position: relative; } .frame { border: 1px solid var(--rule); border-radius: 8px; background: var(--card); overflow: auto; max-height: 82vh; }
.frame.grab { cursor: grabbing; user-select: none; }
.panel { position: absolute; right: 14px; bottom: 14px; width: 360px; max-width: calc(100% - 28px); max-height: 60%; overflow: auto; background: var(--paper);
  border: 1px solid var(--rule); border-radius: 8px; padding: 4px 14px 10px; font-size: 13px; box-shadow: 0 4px 18px #0003; }
.panel h3 { margin-top: 8px; } .panel ul { margin: 4px 0; padding-left: 18px; } .panel.left { right: auto; left: 14px; } .panel[hidden] { display: none; }
svg.mesh { display: block; margin: 0 auto; font: 12.5px system-ui, -apple-system, 'Segoe UI', sans-serif; }
svg.mesh .hit { fill: none; stroke: transparent; stroke-width: 9; } svg.mesh .line { fill: none; stroke: var(--line); }
svg.mesh .element.low .line { stroke: var(--low); } svg.mesh .element.some .line { stroke: var(--some); } svg.mesh .element.high .line { stroke: var(--high); } svg.mesh .element.over .line { stroke: var(--over); }
svg.mesh .may .line { opacity: .55; } svg.mesh .store .line { opacity: .35; } svg.mesh .dead .line, svg.mesh .after .line { opacity: .5; stroke-dasharray: 4 4; } svg.mesh .may .line { stroke-dasharray: 1.5 3; }
${['may', 'store', 'dead', 'after'].map((part) => `#mesh:has([data-part=${part}]:not(:checked)) .element.${part}:not(.on)`).join(', ')} { display: none; }
:root:not(.answers) .scripted, .answers .unscripted { display: none; }
svg.mesh .arrow { fill: context-stroke; } svg.mesh text { text-anchor: middle; fill: var(--ink); pointer-events: none; } svg.mesh .figures { font-size: 11px; fill: var(--soft); }
svg.mesh .box { fill: var(--card); stroke: var(--unknown); stroke-width: 1.3; } svg.mesh .node { cursor: pointer; } svg.mesh .unknown .box { stroke-dasharray: 5 3; }
svg.mesh .low .box { stroke: var(--low); fill: color-mix(in srgb, var(--low) 10%, var(--card)); } svg.mesh .low .used { fill: var(--low); }
svg.mesh .some .box { stroke: var(--some); stroke-width: 2; fill: color-mix(in srgb, var(--some) 16%, var(--card)); } svg.mesh .some .used { fill: var(--some); }
svg.mesh .high .box { stroke: var(--high); stroke-width: 2.6; fill: color-mix(in srgb, var(--high) 22%, var(--card)); } svg.mesh .high .used { fill: var(--high); }
svg.mesh .over .box { stroke: var(--over); stroke-width: 3.2; fill: color-mix(in srgb, var(--over) 26%, var(--card)); } svg.mesh .over .used { fill: var(--over); }
svg.mesh .off { opacity: .1; } svg.mesh .on .line { opacity: 1; stroke: var(--mark); }
svg.mesh .node:focus { outline: none; } svg.mesh .node:focus-visible .box, svg.mesh .chosen .box { stroke: var(--mark); stroke-width: 3.5; }
details > summary { cursor: pointer; color: var(--soft); margin: 8px 0; } .words article { border-top: 1px solid var(--rule); } .words ul { margin: 4px 0; }
@media (max-width: 700px) { body { padding: 14px; } .score { font-size: 34px; } .panel { position: static; width: auto; max-width: none; max-height: 45vh; margin-top: 8px; } }
`
