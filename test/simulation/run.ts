import { parseArgs } from 'node:util'
import { argumentsOf, wholeNumber } from '../arguments.ts'
import { bugs } from './bugs.ts'
import { reportOf } from './report.ts'
import { hunt, simulate, type Told } from './simulate.ts'
import { unseen } from './sometimes.ts'

/**
 * `npm run simulate -- [--schedules 2000] [--seed 1] [--workers k]`: that many schedules from that seed on. A seed that
 * fails is run again with every step written down, and tells its options and the last steps of what went wrong.
 * `--bug <name>|all`: until a planted bug is found. `--all`: every step, not only those of the event that it is about.
 */
const usage = 'npm run simulate [-- --schedules <n> --seed <n> --workers <n> --bug <name>|all --all]'
const { schedules, seed, workers, bug, all } = argumentsOf(usage, (args) => {
  const { values } = parseArgs({
    args,
    options: {
      schedules: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string' },
      bug: { type: 'string' },
      all: { type: 'boolean', default: false },
    },
  })
  const names = ['all', ...Object.keys(bugs)]
  if (values.bug !== undefined && !names.includes(values.bug))
    throw new Error(`--bug: expected ${names.join(', ')}`)
  return {
    ...{ bug: values.bug, all: values.all },
    schedules: wholeNumber('--schedules', values.schedules),
    seed: wholeNumber('--seed', values.seed, 0),
    workers: values.workers === undefined ? undefined : wholeNumber('--workers', values.workers),
  }
})
const tty = process.stdout.isTTY

const worded = ({ violations }: Told): string =>
  violations
    .map(({ invariant, message }) => `${invariant}: ${message}`)
    .join('; ')
    .slice(0, 300)

async function search(): Promise<boolean> {
  let failures = 0
  const { seen, failed, ...result } = await simulate({
    seed,
    schedules,
    workers,
    onSchedule: ({ violations }, done) => {
      if (violations.length > 0) failures++
      if (tty && done % 20 === 0)
        process.stdout.write(`\r${done} of ${schedules} schedules, ${failures} failed `)
    },
  })
  const { steps, minutes, seconds } = result
  console.log(
    `${tty ? '\r' : ''}${result.schedules} schedules from seed ${seed}, ${steps} steps, ${Math.round(minutes / 60)} virtual hours in ${seconds.toFixed(1)} s (${Math.round(result.schedules / seconds)} a second): ${failed.length} failed`,
  )
  for (const told of failed.slice(0, 20)) console.log(`seed ${told.seed}: ${worded(told)}`)
  const [first] = failed
  if (first !== undefined) console.log(await reportOf(first.seed, { all }))
  // few schedules need not have come past everything
  const missing = schedules >= 2000 ? unseen(seen) : []
  if (missing.length > 0) console.log(`never seen: ${missing.join(', ')}`)
  return failed.length === 0 && missing.length === 0
}

async function plant(name: string): Promise<boolean> {
  const findings = await hunt(name === 'all' ? Object.keys(bugs) : [name], { seed, schedules, workers })
  for (const { bug, schedules: tried, told } of findings)
    console.log(
      `${bug}: ${told === undefined ? `not found in ${tried} schedules` : `seed ${told.seed}, ${worded(told)}`}`,
    )
  const [only] = findings
  if (name !== 'all' && only?.told !== undefined)
    console.log(await reportOf(only.told.seed, { bug: name, all }))
  return findings.every(({ told }) => told !== undefined)
}

process.exitCode = (await (bug === undefined ? search() : plant(bug))) ? 0 : 1
