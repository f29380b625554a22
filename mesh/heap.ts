/** The least of many numbers at hand: a binary heap. */
export function heap() {
  const held: number[] = []
  const at = (place: number) => held[place] ?? Number.POSITIVE_INFINITY
  return {
    /** Infinity: there is none */
    least: () => at(0),
    put: (value: number) => {
      let place = held.push(value) - 1
      for (let up = (place - 1) >> 1; place > 0 && at(up) > value; up = (place - 1) >> 1) {
        held[place] = at(up)
        place = up
      }
      held[place] = value
    },
    take: () => {
      const last = held.pop() ?? 0
      if (held.length === 0) return
      let place = 0
      for (let down = 1; down < held.length; down = 2 * place + 1) {
        if (at(down + 1) < at(down)) down++
        if (at(down) >= last) break
        held[place] = at(down)
        place = down
      }
      held[place] = last
    },
  }
}
