const superseding = 'superseded by '

/** The reason of a delivery that was dropped because somebody edited its event. */
export const supersededText = (replacement: string): string => `${superseding}${replacement}`

/** The id of the event that takes its place, where that is so. */
export const supersededBy = ({
  state,
  reason,
}: {
  state: string
  reason?: string | undefined
}): string | undefined =>
  state === 'dropped' && reason?.startsWith(superseding) ? reason.slice(superseding.length) : undefined

/** What is said to somebody who comes too late because it was edited; nothing of anything else. */
export function supersededDetail(mark: Parameters<typeof supersededBy>[0]): { detail?: string } {
  const id = supersededBy(mark)
  return id === undefined ? {} : { detail: `${superseding}${id}, which is handled in its place` }
}
