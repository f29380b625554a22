import type { Controls } from '../hold/control.ts'
import type { DeliveryKey } from '../ports.ts'

/** What was handled, as far as results go by it. */
type Handled = { key: DeliveryKey; downstream: string }

type Gathered = {
  project: string
  downstream: string
  succeeded: number
  failed: { key: DeliveryKey; error: unknown }[]
  probed: boolean
}

export type Results = ReturnType<typeof gatherResults>

/** What handling came to, gathered per project and downstream until it is reported. */
export function gatherResults(controls: Controls | undefined) {
  const gathered = new Map<string, Gathered>()

  function of({ key: { project }, downstream }: Handled): Gathered {
    const name = `${project} ${downstream}`
    const found = gathered.get(name) ?? { project, downstream, succeeded: 0, failed: [], probed: false }
    gathered.set(name, found)
    return found
  }

  return {
    succeeded: (task: Handled): void => void of(task).succeeded++,
    failed: (task: Handled, error: unknown): void => void of(task).failed.push({ key: task.key, error }),
    /** It was let through an open circuit: whatever comes of it is reported, even nothing. */
    probing(task: Handled): void {
      of(task).probed = true
    },
    async report(): Promise<void> {
      const all = [...gathered.values()]
      gathered.clear()
      await Promise.all(
        all.map(({ project, downstream, ...results }) => controls?.report(project, downstream, results)),
      )
    },
  }
}
