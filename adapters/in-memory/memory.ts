import type { Clock, Commit, CommitVerdict, Memory, MemoryRecord, OutboxItem } from '../../core/ports.ts'
import { checkCommit, marksOf } from '../commit-rules.ts'
import { afterOf, byBytes, listKey } from '../listing.ts'
import { copiedPage, copy } from './copy.ts'
import { type InMemoryHistory, isHeld } from './history.ts'

export type InMemoryMemory = Memory & {
  /** Everything that is there, to be looked at by tests and simulations. */
  all(): { records: MemoryRecord[]; outbox: OutboxItem[] }
}

const recordText = ({ project, kind, name }: { project: string; kind: string; name: string }): string =>
  JSON.stringify([project, kind, name])
const outboxText = ({ project, partitionkey, sequence, index }: OutboxItem): string =>
  JSON.stringify([project, partitionkey, sequence, index])

const inSequence = (a: OutboxItem, b: OutboxItem): number => a.sequence - b.sequence || a.index - b.index

/** Memory in this process. A commit happens between two awaits of anybody: all of it or nothing. */
export function inMemoryMemory({
  clock,
  history,
}: {
  clock: Clock
  history?: Pick<InMemoryHistory, 'isFinal' | 'stands' | 'write' | 'hold'> | undefined
}): InMemoryMemory {
  const records = new Map<string, MemoryRecord>()
  const outbox = new Map<string, { item: OutboxItem; written: string }>()

  function commit(change: Commit): CommitVerdict {
    checkCommit(change)
    const { writes, mark, transition } = change
    const marks = marksOf(change)
    if (marks.length > 0 && history === undefined)
      throw new Error('a change with a delivery mark needs a history')
    if (mark !== undefined && history?.isFinal(mark)) return 'done already'
    if (transition !== undefined && !history?.stands(transition)) return 'done already'
    const fits = writes.every((write) => (records.get(recordText(write))?.version ?? 0) === write.version - 1)
    if (!fits) return 'version conflict'
    for (const one of marks) history?.write(one)
    for (const write of writes) records.set(recordText(write), copy(write))
    const written = clock()
    for (const item of change.outbox) outbox.set(outboxText(item), { item: copy(item), written })
    return 'committed'
  }

  return {
    all: () => copy({ records: [...records.values()], outbox: [...outbox.values()].map(({ item }) => item) }),

    async get(key) {
      return copy(records.get(recordText(key)))
    },
    async commit(change) {
      for (const mark of marksOf(change)) if (isHeld(mark.state)) await history?.hold(mark)
      return commit(change)
    },
    async list({ project, list, oldestFirst = false, cursor, limit }) {
      const after = afterOf(cursor)
      const order = oldestFirst ? 1 : -1
      const found = [...records.values()]
        .flatMap((item) =>
          item.project === project && item.place?.list === list
            ? [{ key: listKey({ ...item, place: item.place }), item }]
            : [],
        )
        .filter(({ key }) => after === undefined || order * byBytes(key, after) > 0)
        .sort((a, b) => order * byBytes(a.key, b.key))
      return copiedPage(found, limit)
    },
    async outbox(project, partitionkey) {
      const found = [...outbox.values()]
        .map(({ item }) => item)
        .filter((item) => item.project === project && item.partitionkey === partitionkey)
      return copy(found.sort(inSequence))
    },
    async removeFromOutbox(items) {
      for (const item of items) outbox.delete(outboxText(item))
    },
    async staleOutbox(project, before, limit) {
      const found = [...outbox.values()]
        .filter(({ item, written }) => item.project === project && written < before)
        .sort((a, b) => byBytes(a.written, b.written))
      return [...new Set(found.map(({ item }) => item.partitionkey))].slice(0, limit)
    },
  }
}
