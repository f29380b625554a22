import type { MemoryWrite, Quarantined } from '../../core/ports.ts'
import { redriveQuarantine } from '../../core/quarantine/quarantine-list.ts'
import { dropQuarantined, type Mended, releaseQuarantined } from '../../core/quarantine/quarantine-mend.ts'
import { settledOf } from '../../core/quarantine/quarantine-settle.ts'
import type { Chance } from './chance.ts'
import type { Observed } from './observed.ts'
import type { Command } from './operators.ts'
import type { Ports } from './ports.ts'

/** People who look through the quarantine: what waits there is sent through the gate as it came, edited, or dropped. */

const by = 'user:op'

export const settlementKind = 'quarantine'
/** One for each time that a text came. */
export const settlementName = ({ digest, received }: Pick<Quarantined, 'digest' | 'received'>): string =>
  `${digest}~${received}`

export function quarantineCommand(
  project: string,
  { chance, observed, now }: { chance: Chance; observed: Observed; now: () => number },
): Command {
  const how = chance.pick(['send', 'edit', 'edit', 'drop'])
  return {
    name: `${how} something in quarantine of ${project}`,
    of: 'quarantine',
    async run(ports) {
      const began = now()
      const { items } = await ports.history.quarantined({ project, limit: 50 })
      const entry = items[Math.floor(chance.random() * items.length)]
      if (entry === undefined) return undefined
      observed.step(
        entry.id ?? '',
        () => `${how} ${entry.digest.slice(0, 8)}, ${entry.reason}, of quarantine`,
      )
      const mended = await act(how, entry, ports)
      if (mended !== undefined) hold(entry, mended, began)
      return mended
    },
  }

  async function act(how: string, entry: Quarantined, ports: Ports): Promise<Mended | undefined> {
    const { digest, raw, rawref } = entry
    if (how === 'drop') return dropQuarantined(project, digest, by, 'nobody needs it', ports)
    if (how === 'send') return releaseQuarantined(project, digest, by, ports)
    const text = rawref === undefined ? edited(raw, digest) : undefined
    return text === undefined ? undefined : releaseQuarantined(project, digest, by, ports, { text })
  }

  function hold({ digest, received }: Quarantined, { outcome, event, settled }: Mended, began: number): void {
    if (outcome === 'recorded' || outcome === 'dropped')
      observed.sometimes(`something in quarantine is ${outcome}`)
    const before = observed.settlements.get(`${project} ${settlementName({ digest, received })}`)
    if (
      outcome === 'already' &&
      event !== undefined &&
      settled?.state === 'dropped' &&
      before &&
      before.at < began
    )
      observed.violated({
        invariant: 'what is dropped from quarantine stays out',
        message: `${event.source} ${event.id} was recorded from quarantine, where it had been dropped before that was begun`,
        id: event.id,
      })
  }
}

/** All that waits is tried once more: what somebody has left half settled is brought to its end by that. */
export const redriveAll = (project: string): Command => ({
  name: `send all that is in quarantine of ${project}`,
  of: 'quarantine',
  async run(ports) {
    let cursor: string | undefined
    do {
      const at = { cursor, limit: 25, seconds: 10, dry: false }
      cursor = (await redriveQuarantine(project, {}, at, by, ports)).next
    } while (cursor !== undefined)
  },
})

/** Something that the gate takes, with all that was said in it; undefined: this is not theirs to edit. */
function edited(raw: string, digest: string): string | undefined {
  const body = jsonOf(raw)
  if (body === undefined)
    return JSON.stringify({ specversion: '1.0', ...mended(`mended-${digest.slice(0, 8)}`, '/mended', raw) })
  const { detail } = body as { detail?: { id: string; source: string; data: unknown } }
  if (detail === undefined) return undefined
  const { id, source, data } = detail
  const event = { ...detail, dataschema: undefined, ...mended(`${id}-mended`, source, data) }
  return JSON.stringify({ ...(body as object), 'detail-type': event.type, detail: event })
}

const mended = (id: string, source: string, was: unknown) => ({
  id,
  source: source.startsWith('/loadpath') ? '/mended' : source,
  type: 'acme.ordered',
  data: { was },
})

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What is written of an entry that somebody settles. */
export const settlementIn = ({ value }: Pick<MemoryWrite, 'value'>) => settledOf({ value }).settled
