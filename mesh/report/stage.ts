import type { ComprehensiveReport } from '../comprehensive/report.ts'
import { figure } from '../figure.ts'
import type { Mesh } from '../model.ts'
import { escaped } from './escape.ts'
import { type Numbers, thickness } from './heat.ts'
import type { Part } from './parts.ts'
import { picture } from './picture.ts'
import { data, mark, section } from './tables.ts'
import type { View } from './view.ts'
import { inWords } from './words.ts'

/** So many lines of a part are left out until somebody asks for them. */
const crowded = 40

const parts: readonly { part: Exclude<Part, 'way'>; says: string }[] = [
  { part: 'may', says: 'merely permitted' },
  { part: 'store', says: 'tables and buckets' },
  { part: 'dead', says: 'dead letters' },
  { part: 'after', says: 'only after a failure' },
]

/** The picture with all that belongs to it: switches, legend, what can be followed, and the same in words. */
export function stage(mesh: Mesh, report: ComprehensiveReport, view: View): string {
  const { numbers, lines, ways } = view
  const count = (part: Part) => lines.filter((one) => one.part === part).length
  const switches = parts.map(
    ({ part, says }) =>
      `<label><input type="checkbox" data-part="${part}"${count(part) > crowded && part !== 'may' ? '' : ' checked'}>${says} (${count(part)})</label>`,
  )
  const names = (nodes: readonly string[]) => {
    const all = nodes.map((id) => mesh.nodes.find((node) => node.id === id)?.name ?? id)
    return all.length > 5 ? [...all.slice(0, 2), '…', ...all.slice(-2)] : all
  }
  const options = report.static.paths.flatMap(({ type, nodes, rate }, place) =>
    ways[place] === undefined
      ? []
      : [
          `<option value="${place}">${escaped(`${type === '*' ? 'any type' : type}: ${names(nodes).join(' → ')}${rate === null ? '' : `, ${figure(rate)}/s`}`)}</option>`,
        ],
  )
  return section(
    'mesh',
    'The mesh',
    `<div class="controls scripted"><label>Follow <select id="way"><option value="">no way</option>${options.join('')}</select></label></div>`,
    `<div class="controls"><span class="scripted"><button id="fit" aria-pressed="false">Fit</button> <button id="smaller" aria-label="Smaller">−</button> <button id="larger" aria-label="Larger">+</button></span>${switches.join('')}</div>`,
    legend(numbers),
    leftOut(mesh, view),
    `<div class="stage"><div class="frame">${picture(mesh, view)}</div><aside class="panel" aria-live="polite" aria-label="What is pointed at" hidden></aside></div>`,
    '<p class="soft">Events go from left to right; what leads back goes below. <span class="unscripted">Following a way and pointing at a box need JavaScript, which does not run here; what they show is below in words.</span><span class="scripted">Point at a box or a line for its numbers; a click or Enter on a box keeps it and what it is tied to, Escape lets go. Arrow keys go along the mesh.</span></p>',
    inWords(mesh, report, view),
    data(
      'ways',
      ways.map((way) => way ?? null),
    ),
  )
}

/** What of a large mesh is not drawn, and where it stands. */
function leftOut({ nodes, elements }: Mesh, { boxes, lines, parts }: View): string {
  const [hidden, untied] = [nodes.length - boxes.size, parts.drawn.length - lines.length]
  return hidden + untied === 0
    ? ''
    : `<p class="left-out">${hidden} of ${nodes.length} nodes and ${untied} of ${elements.length} elements are not drawn. Drawn are the ways through the worst findings and the most used limits, and what is next to them; all are below in words, and in the JSON.</p>`
}

const sample = (width: number, dashes = ''): string =>
  `<svg width="34" height="10" aria-hidden="true"><path d="M0 5H34" stroke="var(--line)" stroke-width="${width.toFixed(1)}"${dashes === '' ? '' : ` stroke-dasharray="${dashes}"`}/></svg>`

function legend({ most }: Numbers): string {
  const loads =
    most > 0
      ? [1, 0.1, 0.01].map((part) => `${sample(thickness(most * part, most))}${figure(most * part)}/s`)
      : [`${sample(1.2)}no load is known`]
  const all = [
    ...[
      [0.1, 'up to 40 % of its tightest limit'],
      [0.5, 'up to 70 %'],
      [0.9, 'up to 100 %'],
      [2, 'over it'],
    ].map(([used, says]) => `${mark(Number(used))}${says}`),
    `${mark(undefined)}stress not known`,
    ...loads,
    `${sample(1.2, '1.5 3')}a permission allows it`,
    `${sample(1, '4 4')}dead letters, after a failure`,
  ]
  return `<div class="legend">${all.map((one) => `<span>${one}</span>`).join('')}</div>`
}
