/** Dense and small: rows. */
export type Matrix = Float64Array[]

export const zeros = (rows: number, columns: number): Matrix =>
  Array.from({ length: rows }, () => new Float64Array(columns))

export const plus = (one: Matrix, other: Matrix): Matrix =>
  one.map((row, i) => row.map((value, j) => value + (other[i]?.[j] ?? 0)))

export function times(one: Matrix, other: Matrix): Matrix {
  const columns = other[0]?.length ?? 0
  return one.map((row) => {
    const sum = new Float64Array(columns)
    row.forEach((value, k) => {
      const factors = other[k]
      if (value === 0 || factors === undefined) return
      for (let j = 0; j < columns; j++) sum[j] = (sum[j] ?? 0) + value * (factors[j] ?? 0)
    })
    return sum
  })
}

/** Matrices side by side, and taken apart again. */
export const beside = (...parts: readonly Matrix[]): Matrix =>
  (parts[0] ?? []).map((_, i) => {
    const rows = parts.map((part) => part[i] ?? new Float64Array())
    const whole = new Float64Array(rows.reduce((length, row) => length + row.length, 0))
    let column = 0
    for (const row of rows) {
      whole.set(row, column)
      column += row.length
    }
    return whole
  })
export const columnsOf = (matrix: Matrix, from: number, to?: number): Matrix =>
  matrix.map((row) => row.slice(from, to))

/**
 * X of M X = R for an M-matrix M, which needs no pivoting (Funderlic, Neumann and Plemmons 1982).
 */
export function solved(matrix: Matrix, right: Matrix): Matrix {
  const size = matrix.length
  const rows = beside(matrix, right)
  const width = rows[0]?.length ?? 0
  rows.forEach((head, column) => {
    const pivot = head[column] ?? 1
    for (let k = column; k < width; k++) head[k] = (head[k] ?? 0) / pivot
    rows.forEach((row, i) => {
      const factor = row[column] ?? 0
      if (i === column || factor === 0) return
      for (let k = column; k < width; k++) row[k] = (row[k] ?? 0) - factor * (head[k] ?? 0)
    })
  })
  return columnsOf(rows, size)
}

/**
 * The steady weights of a chain by its rates (diagonal not asked), states taken out from the last (Grassmann, Taksar and
 * Heyman 1985): without a difference.
 */
export function steady(rates: Matrix): Float64Array {
  const left = rates.map((row) => row.slice())
  for (let last = left.length - 1; last > 0; last--) takeOut(left, last)
  const weights = new Float64Array(left.length)
  weights[0] = 1
  for (let state = 1; state < left.length; state++) {
    let sum = 0
    for (let i = 0; i < state; i++) sum += (weights[i] ?? 0) * (left[i]?.[state] ?? 0)
    weights[state] = sum
  }
  return weights
}

/** Who goes to the last state goes on to where that leads; how often it goes there is left in its column. */
function takeOut(left: Matrix, last: number): void {
  const row = left[last]
  let out = 0
  for (let j = 0; j < last; j++) out += row?.[j] ?? 0
  for (const target of left.slice(0, last)) {
    const goes = (target[last] ?? 0) / out
    target[last] = goes
    if (goes > 0) for (let j = 0; j < last; j++) target[j] = (target[j] ?? 0) + goes * (row?.[j] ?? 0)
  }
}
