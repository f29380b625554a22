/** Four digits that count; what has no number says so. */
export const figure = (value: number | null): string =>
  value === null ? '–' : String(Number(value.toPrecision(4)))

/** `once`, `3 times`. */
export const timesOver = (count: number): string => (count === 1 ? 'once' : `${figure(count)} times`)
