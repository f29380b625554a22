/** The page's style: light or dark as the reader's system is, nothing fetched. */
export const style = `
:root { color-scheme: light dark; --paper: #fbfbfa; --ink: #1d2126; --soft: #667079; --rule: #dcdfe3; --card: #fff;
  --low: #2f9e6e; --some: #8aa62b; --high: #d98a00; --over: #d3382f; --unknown: #8b95a1; --line: #9aa5b1; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e6e9ec; --soft: #97a2ad; --rule: #2b3138; --card: #1b1f25;
  --low: #3fbf8a; --some: #a9c23f; --high: #f0a733; --over: #ff6a5e; --unknown: #77828d; --line: #56616d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1200px; padding: 24px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 17px; margin: 36px 0 8px; } p { margin: 6px 0; }
.soft { color: var(--soft); } .score { font-size: 44px; font-weight: 650; line-height: 1.1; }
header { display: flex; gap: 32px; align-items: baseline; flex-wrap: wrap; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scroll { overflow-x: auto; }
.mark { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 7px; background: var(--unknown); }
.mark.low { background: var(--low); } .mark.some { background: var(--some); } .mark.medium, .mark.high { background: var(--high); } .mark.over { background: var(--over); }
.finding { border-left: 3px solid var(--rule); padding: 4px 0 4px 12px; margin: 10px 0; } .finding.high { border-color: var(--over); } .finding.medium { border-color: var(--high); }
.finding code, td code { font-size: 12.5px; color: var(--soft); }
.frame { border: 1px solid var(--rule); border-radius: 8px; background: var(--card); overflow: auto; max-height: 80vh; }
svg.mesh { display: block; min-width: 100%; font: 12.5px system-ui, sans-serif; }
svg.mesh .line { fill: none; stroke: var(--line); opacity: .75; } svg.mesh .dead-letter { stroke-dasharray: 4 4; opacity: .45; }
svg.mesh .arrow { fill: var(--line); } svg.mesh text { text-anchor: middle; fill: var(--ink); } svg.mesh .figures { font-size: 11px; fill: var(--soft); }
svg.mesh rect { fill: var(--card); stroke: var(--unknown); stroke-width: 1.5; } svg.mesh .node { cursor: pointer; }
svg.mesh .low rect { stroke: var(--low); } svg.mesh .some rect { stroke: var(--some); stroke-width: 2.2; }
svg.mesh .high rect { stroke: var(--high); stroke-width: 3; } svg.mesh .over rect { stroke: var(--over); stroke-width: 3.5; }
svg.mesh .off { opacity: .12; } svg.mesh .node.chosen rect { fill: color-mix(in srgb, var(--ink) 10%, var(--card)); }
.legend { display: flex; gap: 18px; flex-wrap: wrap; font-size: 13px; color: var(--soft); margin: 8px 0; }
details > summary { cursor: pointer; color: var(--soft); }
`

/** A click on a node leaves what it is tied to; a click beside it brings all back. */
export const script = `
for (const svg of document.querySelectorAll('svg.mesh')) {
  const choose = (id) => {
    const near = new Set([id]);
    for (const line of svg.querySelectorAll('.line')) {
      const touches = line.dataset.from === id || line.dataset.to === id;
      line.classList.toggle('off', id !== undefined && !touches);
      if (touches) { near.add(line.dataset.from); near.add(line.dataset.to); }
    }
    for (const node of svg.querySelectorAll('.node')) {
      node.classList.toggle('off', id !== undefined && !near.has(node.dataset.node));
      node.classList.toggle('chosen', node.dataset.node === id);
    }
  };
  svg.addEventListener('click', (event) => choose(event.target.closest('.node')?.dataset.node));
  svg.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') choose(event.target.closest('.node')?.dataset.node);
    if (event.key === 'Escape') choose(undefined);
  });
}
`
