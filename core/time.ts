/** Times are ISO 8601 in UTC with milliseconds, so that they sort as texts; spans are milliseconds. */

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

export const after = (time: string, milliseconds: number): string =>
  new Date(Date.parse(time) + milliseconds).toISOString()

export const ago = (now: string, milliseconds: number): string => after(now, -milliseconds)
