import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'

/**
 * How long each analysis of a mesh and its page take, and how that grows with its elements: processor time of a new process that has
 * compiled nothing yet, the median of `runs`. Beside the generated meshes one loop of thousands of states, and an app as CDK synthesizes it, read and
 * analysed. Usage: npm run bench:mesh [-- runs [most elements]]
 */
const runs = Number(process.argv[2] ?? 3)
const most = Number(process.argv[3] ?? 10_000)
const sizes = [100, 300, 1000, 3000, 10_000].filter((size) => size <= most)

const measured = z.object({
  nodes: z.number(),
  elements: z.number(),
  states: z.number(),
  /** milliseconds, by what was done */
  times: z.record(z.string(), z.number()),
  megabytes: z.number(),
})
type Measured = z.output<typeof measured>

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

function measure(...given: string[]): Measured {
  const child = join(import.meta.dirname, 'mesh', 'measure.ts')
  const all = Array.from({ length: runs }, () =>
    measured.parse(JSON.parse(execFileSync(process.execPath, [child, ...given], { encoding: 'utf8' }))),
  )
  const [first] = all
  if (first === undefined) throw new Error('no runs')
  const names = Object.keys(first.times)
  return {
    ...first,
    times: Object.fromEntries(names.map((name) => [name, median(all.map(({ times }) => times[name] ?? 0))])),
    megabytes: median(all.map(({ megabytes }) => megabytes)),
  }
}

const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(' | ')} |`)
const seconds = (milliseconds: number | undefined): string => ((milliseconds ?? 0) / 1000).toFixed(3)

const found = sizes.map((size) => measure('size', String(size)))
const names = Object.keys(found[0]?.times ?? {})
row(['seconds', ...found.map(({ elements }) => elements)])
row(['---', ...found.map(() => '---')])
for (const name of names) row([name, ...found.map(({ times }) => seconds(times[name]))])
row(['megabytes', ...found.map(({ megabytes }) => Math.round(megabytes))])
row(['states', ...found.map(({ states }) => states)])

console.log('\nExponent of growth from one size to the next:\n')
const steps = found.slice(1).map((to, place) => ({ from: found[place] ?? to, to }))
row(['time ~ elements^', ...steps.map(({ from, to }) => `${from.elements} to ${to.elements}`)])
row(['---', ...steps.map(() => '---')])
/** Times below a few milliseconds are the grain of the clock. */
const exponent = (one: Measured, other: Measured, name: string): string => {
  const [before, after] = [one.times[name] ?? 0, other.times[name] ?? 0]
  if (before < 10) return '–'
  return (Math.log(after / before) / Math.log(other.elements / one.elements)).toFixed(2)
}
for (const name of names) row([name, ...steps.map(({ from, to }) => exponent(from, to, name))])

console.log('\nOne loop:\n')
const loops = [600, 2000, 6000].map((states) => measure('loop', String(states)))
row(['seconds', ...loops.map(({ states }) => `${states} states`)])
row(['---', ...loops.map(() => '---')])
for (const name of names) row([name, ...loops.map(({ times }) => seconds(times[name]))])

console.log('\nAn app of CDK:\n')
const folder = mkdtempSync(join(tmpdir(), 'loadpath-bench-mesh-'))
try {
  execFileSync(process.execPath, [join(import.meta.dirname, 'mesh', 'app.ts'), folder, '20'])
  const { nodes, elements, times, megabytes } = measure('app', folder)
  row(['nodes', 'elements', ...Object.keys(times), 'megabytes'])
  row(['---', '---', ...Object.keys(times).map(() => '---'), '---'])
  row([nodes, elements, ...Object.values(times).map(seconds), Math.round(megabytes)])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
