import { type Measured, summed } from '../../core/books/rates.ts'
import { producers, routes } from '../../events/routes.ts'
import type { Rates } from '../answers-mending.ts'
import type { Cli } from '../context.ts'
import { steadily } from '../steadily.ts'
import { writeText } from './files.ts'
import { ratesFile, type Times } from './rates-file.ts'
import { timesByLogs, timesByMetrics } from './times.ts'

export type RatesOptions = {
  since?: string
  until?: string
  out?: string
  cloudwatch?: boolean
  region?: string
}

/** Writes what was measured as a file of rates, for the mesh of this very app. */
export async function showRates(cli: Cli, options: RatesOptions): Promise<void> {
  const { window, events, left, measured } = await read(cli, options)
  const times = await timesOf(cli, window, options)
  const text = ratesFile({ window, events, left, measured, times, routes, producers })
  const { out } = options
  if (out !== undefined) writeText(out, text)
  cli.show({ window, events, left, measured, times: Object.fromEntries(times.of), file: text }, () =>
    out === undefined ? text.trimEnd() : `${out}: the rates of ${events} events`,
  )
}

type Read = Pick<Rates, 'window' | 'events' | 'left'> & { measured: Measured }
const shards = [1, 2, 3]

/** The timeline has four shards, which are read side by side; the first call says what the window is. */
async function read(cli: Cli, { since, until }: RatesOptions): Promise<Read> {
  const api = await cli.api()
  const slices: Rates[] = []
  const ask = async (shard: number, place: { since?: string; until?: string; cursor?: string }) => {
    const slice = await steadily(cli, () => api.meshRates({ ...place, shard }))
    slices.push(slice)
    if (slice.next !== undefined) cli.note(`${total('events')} events so far`)
    return slice
  }
  const total = (of: 'events' | 'left') => slices.reduce((sum, slice) => sum + slice[of], 0)
  const toTheEnd = async (shard: number, first: Rates) => {
    let { next } = first
    while (next !== undefined) next = (await ask(shard, { cursor: next })).next
  }
  const first = await ask(0, { ...(since && { since }), ...(until && { until }) })
  const { window } = first
  await Promise.all([
    toTheEnd(0, first),
    ...shards.map(async (shard) => toTheEnd(shard, await ask(shard, window))),
  ])
  const measured = summed(slices.map((slice) => slice.measured))
  return { window, events: total('events'), left: total('left'), measured }
}

async function timesOf(
  cli: Cli,
  window: Rates['window'],
  { cloudwatch, region }: RatesOptions,
): Promise<Times> {
  const stage = cli.stage()
  const config = await stage.config()
  return cloudwatch
    ? timesByMetrics(stage, config, window, region ?? config.region)
    : timesByLogs(stage, config, window)
}
