/** Extension attributes that mean nothing to us, `sequence` among them, are kept as they came. */
export function keptExtensions(others: Record<string, string | number | boolean | undefined>) {
  const kept: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(others)) if (value !== undefined) kept[name] = value
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** An attribute that is null is one that is not there, says CloudEvents; null data is data. */
export function withoutNulls(sent: unknown): unknown {
  if (sent === null || typeof sent !== 'object' || Array.isArray(sent)) return sent
  return Object.fromEntries(Object.entries(sent).filter(([name, value]) => value !== null || name === 'data'))
}

/** A lone surrogate in a text or a name: no store of ours takes it as a key, and some not at all. */
export function hasHalfCharacter(sent: unknown): boolean {
  if (typeof sent === 'string') return !sent.isWellFormed()
  if (sent === null || typeof sent !== 'object') return false
  if (Array.isArray(sent)) return sent.some(hasHalfCharacter)
  return Object.entries(sent).some(([name, member]) => !name.isWellFormed() || hasHalfCharacter(member))
}

/** What can be read of something that is no event. */
export function named(sent: unknown): {
  type?: string | undefined
  source?: string | undefined
  id?: string | undefined
} {
  if (sent === null || typeof sent !== 'object') return {}
  const text = (name: string) => {
    const value: unknown = Reflect.get(sent, name)
    return typeof value === 'string' ? value.slice(0, 256) : undefined
  }
  return { type: text('type'), source: text('source'), id: text('id') }
}
