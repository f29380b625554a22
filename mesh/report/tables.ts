import { figure } from '../figure.ts'
import { escaped } from './escape.ts'
import { heat } from './heat.ts'

type Cell = string | number | null | { html: string }

/** Texts from here on get the room that they need. */
const long = 40

const cellOf = (cell: Cell): string => {
  if (typeof cell === 'number' || cell === null) return `<td class="n">${figure(cell)}</td>`
  if (typeof cell !== 'string') return `<td>${cell.html}</td>`
  return `<td${cell.length > long ? ' class="long"' : ''}>${escaped(cell)}</td>`
}

export const mostRows = 40
/** Findings of a page, most of them folded. */
export const mostFindings = 500
const shownRows = 10

/** The first rows, more of them folded, and how many are in the JSON alone. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '<p class="soft">Nothing.</p>'
  const numeric = (column: number) =>
    rows.every((row) => typeof row[column] === 'number' || row[column] === null)
  const head = headings.map(
    (name, column) => `<th scope="col"${numeric(column) ? ' class="n"' : ''}>${escaped(name)}</th>`,
  )
  const one = (some: readonly (readonly Cell[])[]) =>
    `<div class="scroll" tabindex="0"><table><thead><tr>${head.join('')}</tr></thead><tbody>${some
      .map((row) => `<tr>${row.map(cellOf).join('')}</tr>`)
      .join('')}</tbody></table></div>`
  if (rows.length <= shownRows + 2) return one(rows)
  const more = rows.slice(shownRows, mostRows)
  const left = rows.length - shownRows - more.length
  return `${one(rows.slice(0, shownRows))}<details><summary>${more.length} more${left > 0 ? `, and ${left} in the JSON` : ''}</summary>${one(more)}</details>`
}

export const mark = (utilisation: number | undefined): string =>
  `<span class="mark ${heat(utilisation)}"></span>`

export const section = (id: string, title: string, ...parts: readonly string[]): string =>
  `<section id="${id}"><h2>${escaped(title)}</h2>${parts.join('\n')}</section>`

/** Text from outside in a script: nothing in it ends the element or begins another. */
export const data = (id: string, value: unknown): string =>
  `<script type="application/json" id="${id}">${JSON.stringify(value).replaceAll('<', '\\u003c')}</script>`
