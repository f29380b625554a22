import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, lastLines, Trouble } from './endpoint.ts'
import { endGroup, runs } from './processes.ts'

/** Aborted when this process is told to end. npm and a shell may both pass one Ctrl-C on: once a second counts. */
export function stopSignal(say: (line: string) => void): AbortSignal {
  const controller = new AbortController()
  let last = 0
  const told = () => {
    const now = Date.now()
    if (now - last < 1_000) return
    last = now
    if (controller.signal.aborted) say('still ending: the endpoint saves its state …')
    controller.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, told)
  return controller.signal
}

/** Returns when told to end. @throws Trouble when an endpoint of ours ended by itself */
export async function stay({ mark, log }: Endpoint, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    if (mark && !runs(mark)) {
      await endGroup(mark, { patience: 0, grace: 0 })
      throw new Trouble(
        `the local AWS endpoint has ended by itself: what it held since its last start is lost. The end of ${log}:\n${lastLines(log)}`,
      )
    }
    await sleep(1_000, undefined, { signal: stop }).catch(() => undefined)
  }
}
