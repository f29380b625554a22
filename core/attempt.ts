/** A call whose failure is an answer: what it gave, or what it threw. */
export async function attempt<T>(action: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await action() }
  } catch (error) {
    return { error }
  }
}
