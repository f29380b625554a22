/** SQS and EventBridge take ten a call; 256 KiB a call holds for both in every region and emulator. */
const mostItems = 10
const mostBytes = 262_144

/** As few calls as fit, in order, each item with its index; one over the limit goes alone. */
export function batches<Item>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
): { index: number; item: Item }[][] {
  const all: { index: number; item: Item }[][] = []
  let bytes = 0
  for (const [index, item] of items.entries()) {
    const size = sizeOf(item)
    const last = all.at(-1)
    if (last === undefined || last.length === mostItems || bytes + size > mostBytes) {
      all.push([{ index, item }])
      bytes = size
    } else {
      last.push({ index, item })
      bytes += size
    }
  }
  return all
}
