/** Four digits that count; what has no number says so. */
export const figure = (value: number | null): string =>
  value === null ? '–' : String(Number(value.toPrecision(4)))
