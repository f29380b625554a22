import { runSchedule } from './schedule.ts'

const mostLines = 80

/** Runs a seed again, and tells what it is, what was violated, and the steps that led there. */
export async function reportOf(
  seed: number,
  { bug, all = false }: { bug?: string | undefined; all?: boolean } = {},
): Promise<string> {
  const { log, warn } = console
  console.log = () => undefined
  console.warn = () => undefined
  const { options, hash, steps, minutes, violations, trace } = await runSchedule(seed, {
    bug,
    trace: true,
  }).finally(() => Object.assign(console, { log, warn }))
  const [first] = violations
  const about = first?.id
  const own = all
    ? trace
    : trace.filter((step) => step.about === about || (about === undefined && step.about === ''))
  const lines = own.map(
    ({ at, about, text }) =>
      `  ${new Date(at).toISOString().slice(11, 23)} ${about.padEnd(12).slice(0, 36)} ${text}`,
  )
  return [
    `seed ${seed}${bug === undefined ? '' : ` with "${bug}"`}: ${steps} steps, ${minutes} virtual minutes, hash ${hash}`,
    `options: ${JSON.stringify(options)}`,
    ...violations.slice(0, 10).map(({ invariant, message }) => `violated: ${invariant}: ${message}`),
    ...(lines.length > mostLines ? [`  … ${lines.length - mostLines} steps before`] : []),
    ...lines.slice(-mostLines),
    `again: npm run simulate -- --seed ${seed} --schedules 1${bug === undefined ? '' : ` --bug ${JSON.stringify(bug)}`} --all`,
  ].join('\n')
}
