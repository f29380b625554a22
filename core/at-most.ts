/** Runs so many actions at once; the others wait for their turn, in order. */
export function atMost(most: number): <T>(action: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (action) => {
    if (running >= most) await new Promise<void>((resume) => waiting.push(resume))
    else running++
    try {
      return await action()
    } finally {
      const next = waiting.shift()
      // who waits takes over the place of who has ended
      if (next === undefined) running--
      else next()
    }
  }
}
