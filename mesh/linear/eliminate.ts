/** A square system: the diagonal, what else is in each row by its column, and what each row comes to. Taken apart by solving. */
export type Block = { diagonal: Float64Array; rows: Map<number, number>[]; loads: Float64Array }

/**
 * Solves a block by elimination. Of an M-matrix any diagonal may be the pivot, in any order, and nothing grows beyond
 * what rounding makes (Funderlic, Neumann and Plemmons 1982): the unknown with the fewest ties goes first (Markowitz
 * 1957), as long as what is left stays sparse; a loop of thousands then takes a pass, not the cube of its size. What is
 * left, and what is no M-matrix, is eliminated densely with pivoting. Throws a RangeError when it is singular.
 */
export function eliminate(block: Block): Float64Array<ArrayBuffer> {
  const { diagonal, rows, loads } = block
  const values = new Float64Array(rows.length)
  const { order, left } = sparsely(block)
  const place = new Map(left.map((unknown, position) => [unknown, position]))
  const matrix = left.map((unknown, position) => {
    const row = new Float64Array(left.length + 1)
    row[position] = diagonal[unknown] ?? 0
    row[left.length] = loads[unknown] ?? 0
    for (const [column, value] of rows[unknown] ?? []) row[place.get(column) ?? -1] = value
    return row
  })
  densely(matrix).forEach((value, position) => {
    values[left[position] ?? -1] = value
  })
  for (const unknown of order.toReversed()) {
    let sum = loads[unknown] ?? 0
    for (const [column, value] of rows[unknown] ?? []) sum -= value * (values[column] ?? 0)
    values[unknown] = sum / (diagonal[unknown] ?? 1)
  }
  return values
}

/** What is less of a diagonal is what rounding left of nothing. */
const slight = 1e-13

/** Takes out what it can of the system; answers in which order, and what is left. */
function sparsely(block: Block): { order: number[]; left: number[] } {
  const { diagonal, rows } = block
  const order: number[] = []
  const left = new Set(rows.keys())
  if (rows.some((row) => [...row.values()].some((value) => value > 0))) return { order, left: [...left] }
  const whole = diagonal.slice()
  const columns = columnsOf(rows)
  /** How many entries may appear where none was. */
  const ties = (unknown: number) => (rows[unknown]?.size ?? 0) * (columns[unknown]?.size ?? 0)
  const open = byTies(rows.keys(), ties)
  for (let unknown = open.next(); unknown !== undefined; unknown = open.next()) {
    if (left.size > 2 && ties(unknown) * 4 > left.size ** 2) break
    if (!((diagonal[unknown] ?? 0) > slight * (whole[unknown] ?? 0))) continue
    takeOut(block, columns, unknown)
    left.delete(unknown)
    order.push(unknown)
    for (const target of columns[unknown] ?? []) open.again(target)
    for (const column of rows[unknown]?.keys() ?? []) open.again(column)
  }
  return { order, left: [...left] }
}

/** Which rows have something in a column. */
function columnsOf(rows: readonly Map<number, number>[]): Set<number>[] {
  const columns = rows.map(() => new Set<number>())
  rows.forEach((row, unknown) => {
    for (const column of row.keys()) columns[column]?.add(unknown)
  })
  return columns
}

/** Replaces an unknown in all other rows by what its own says of it. */
function takeOut({ diagonal, rows, loads }: Block, columns: readonly Set<number>[], unknown: number): void {
  const own = rows[unknown] ?? new Map<number, number>()
  for (const column of own.keys()) columns[column]?.delete(unknown)
  for (const target of columns[unknown] ?? []) {
    const row = rows[target]
    const factor = (row?.get(unknown) ?? 0) / (diagonal[unknown] ?? 1)
    row?.delete(unknown)
    loads[target] = (loads[target] ?? 0) - factor * (loads[unknown] ?? 0)
    for (const [column, value] of own) {
      if (column === target) diagonal[target] = (diagonal[target] ?? 0) - factor * value
      else {
        row?.set(column, (row.get(column) ?? 0) - factor * value)
        columns[column]?.add(target)
      }
    }
  }
}

/** From so many ties on the order makes no difference. */
const mostTies = 10_000

/** Gives unknowns, those with the fewest ties first; one whose ties have changed is to be put in again. */
function byTies(unknowns: Iterable<number>, ties: (unknown: number) => number) {
  const rooms: number[][] = []
  const given = new Set<number>()
  let least = 0
  const counted = (unknown: number) => Math.min(mostTies, ties(unknown))
  const again = (unknown: number) => {
    const count = counted(unknown)
    rooms[count] ??= []
    rooms[count].push(unknown)
    least = Math.min(least, count)
  }
  for (const unknown of unknowns) again(unknown)
  const next = (): number | undefined => {
    for (; least < rooms.length; least++)
      for (let unknown = rooms[least]?.pop(); unknown !== undefined; unknown = rooms[least]?.pop())
        if (!given.has(unknown) && counted(unknown) === least) {
          given.add(unknown)
          return unknown
        }
    return undefined
  }
  return { next, again }
}

/** Gauss elimination with partial pivoting of an n × (n + 1) matrix, in place. */
export function densely(matrix: Float64Array[]): number[] {
  const size = matrix.length
  for (let column = 0; column < size; column++) {
    const head = pivoted(matrix, column)
    for (let row = column + 1; row < size; row++) {
      const target = matrix[row]
      const factor = (target?.[column] ?? 0) / (head[column] ?? 1)
      if (target === undefined || factor === 0) continue
      for (let k = column; k <= size; k++) target[k] = (target[k] ?? 0) - factor * (head[k] ?? 0)
    }
  }
  return substituted(matrix)
}

/** The solution of an upper triangular n × (n + 1) matrix. */
function substituted(matrix: readonly Float64Array[]): number[] {
  const size = matrix.length
  const values = matrix.map(() => 0)
  for (let i = size - 1; i >= 0; i--) {
    const row = matrix[i]
    let sum = row?.[size] ?? 0
    for (let column = i + 1; column < size; column++) sum -= (row?.[column] ?? 0) * (values[column] ?? 0)
    values[i] = sum / (row?.[i] ?? 1)
  }
  return values
}

/** Brings the row with the largest value of the column to its place, and gives it. */
function pivoted(matrix: Float64Array[], column: number): Float64Array {
  let best = column
  for (let row = column + 1; row < matrix.length; row++)
    if (Math.abs(matrix[row]?.[column] ?? 0) > Math.abs(matrix[best]?.[column] ?? 0)) best = row
  const [chosen, swapped] = [matrix[best], matrix[column]]
  if (chosen === undefined || swapped === undefined || Math.abs(chosen[column] ?? 0) < 1e-300)
    throw new RangeError('the structure is not held: its matrix is singular')
  matrix[best] = swapped
  matrix[column] = chosen
  return chosen
}
