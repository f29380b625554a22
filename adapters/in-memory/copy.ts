/** What a store would give back: JSON, and nothing that the caller still holds. */
export const copy = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)))
