import { stopEndpoint } from './endpoint.ts'
import { end, runs } from './processes.ts'
import { readKept, writeKept } from './state.ts'

/** `up` needs the time that its endpoint takes to save what it holds. */
const patience = 90_000

/** Ends what `up` started, wherever it was started, and what a killed `up` left. False when there was nothing. */
export async function down(): Promise<boolean> {
  const kept = readKept()
  const found = runs(kept.up) || runs(kept.endpoint?.mark)
  if (kept.up && runs(kept.up)) await end(kept.up, patience)
  if (kept.endpoint?.mark && runs(kept.endpoint.mark)) await stopEndpoint(kept.endpoint.mark)
  if (found) writeKept({ ...readKept(), phase: 'stopped', up: undefined, endpoint: undefined })
  return found
}
