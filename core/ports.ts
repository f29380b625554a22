// Longer than 300 lines: what the whole core needs of the world, on one page.
import type { Identity, RecordedEvent } from '../events/envelope.ts'
import type { Retention } from '../events/event-type.ts'

/**
 * What the core needs of the world; `Lanes` stands in lane/lane.ts and `Controls` in hold/control.ts, with what they are for.
 * Each port has two implementations that pass one contract suite (adapters/contract/): in memory, and on AWS.
 */

// ---- history -----------------------------------------------------------------------------------

export type StoredEvent = {
  event: RecordedEvent
  /** contentDigest of what was sent */
  content: string
  /** the subscribers that were routed to when it was recorded; never recomputed */
  expects: readonly string[]
  /** the timeline page that lists it */
  page: PageName
}

export type DeliveryState = 'retrying' | 'parked' | 'dead' | 'done' | 'dropped'

/** replay is '' for the first, live delivery */
export type DeliveryKey = Identity & { subscriber: string; replay: string }

export type Delivery = {
  state: DeliveryState
  attempts: number
  /** when it was first tried and last changed, ISO 8601 */
  started: string
  changed: string
  /** why it is not done */
  reason?: string | undefined
  /** ids of the events that the handling emitted */
  emitted: readonly string[]
  /** the run that a workflow's delivery started */
  run?: string | undefined
  /** differences seen when the same emission came again with other content */
  notes?: readonly string[] | undefined
  /** of its event, where the writer knows it: its expiry then costs no read */
  retention?: Retention | undefined
  /** how often it was sent anew after it had been dead or parked, or its queue had let go of it */
  resumed?: number | undefined
  /**
   * receives of its message that were no attempt, because others kept changing what it changes; below nothing: attempts of
   * an earlier message
   */
  uncounted?: number | undefined
  /** its queue has handed its message over for the last time, to no attempt: no message of it is left */
  letGo?: true | undefined
  /** of a replay: how its frame said that it is to be handled, so that what sends it anew says the same */
  replayed?: 'emit' | 'rebuild' | undefined
}

/**
 * A mark as somebody has seen it: what settles or reopens a delivery goes by it, so that of two at once one does. What
 * was sent anew and put back as it was has been sent anew once more.
 */
export type SeenDelivery = Pick<Delivery, 'state' | 'changed' | 'resumed'>

/**
 * The replacing of one mark by another, on the condition that it still stands as it was seen; `seen` undefined: that there
 * is none.
 */
export type Transition = { key: DeliveryKey; seen: SeenDelivery | undefined; next: Delivery }

/** everything that is known under one identity */
export type Fate = { stored: StoredEvent | undefined; deliveries: readonly (DeliveryKey & Delivery)[] }

/** the hour of writing (`2026-01-01T12`), one of 4 shards, and an id that sorts by time within them */
export type PageName = { hour: string; shard: number; page: string }

export type PageEntry = {
  source: string
  id: string
  type: string
  received: string
  partitionkey: string
  correlationid: string
}

export type Page = PageName & {
  project: string
  entries: readonly PageEntry[]
  /** what is stored cannot be parsed: its entries are not known */
  unreadable?: true
}

export type Quarantined = {
  project: string
  /** of the raw text: the same garbage twice is one entry */
  digest: string
  reason: 'invalid' | 'forged' | 'conflict' | 'loop' | 'unreadable'
  faults: readonly { path: string; expected: string; got: string }[]
  door: string
  received: string
  /** as it came, at most 1 MB; `rawref` names the body in the bucket where it is over 64 KB */
  raw: string
  rawref?: string | undefined
  /** what could be read of it */
  type?: string | undefined
  source?: string | undefined
  id?: string | undefined
  /** absent while it waits for a person */
  settled?: Settlement | undefined
}

/** What became of a quarantined text. `note`: the id under which it was recorded, or why it was dropped. */
export type Settlement = { state: 'recorded' | 'dropped'; by: string; at: string; note: string }

export type InsertVerdict =
  | { verdict: 'inserted' }
  | { verdict: 'exists' }
  | { verdict: 'failed'; error: unknown }

/** An answer of a list: the items and where to go on, undefined at the end. */
export type Listing<Item> = { items: readonly Item[]; next: string | undefined }

export type OpenState = 'retrying' | 'parked' | 'dead'

export type OpenMark = DeliveryKey & {
  state: OpenState
  changed: string
  /** of its event; known for dead and parked marks of events that are recorded */
  type?: string | undefined
}

export interface History {
  putPage(page: Page): Promise<void>
  /** Inserts each event whose identity is free; one verdict per event, in order. Never throws for one of many. */
  insertEvents(events: readonly StoredEvent[]): Promise<InsertVerdict[]>
  /**
   * Consistent; undefined where there is none; in the order asked.
   * @throws Failure NewerVersion when one of them cannot be parsed
   */
  getEvents(identities: readonly Identity[]): Promise<(StoredEvent | undefined)[]>
  /**
   * The event and its deliveries. Consistent unless said: the other costs half, and may be seconds old.
   * @throws Failure NewerVersion when what is stored there cannot be parsed
   */
  fate(identity: Identity, read?: { consistent: boolean }): Promise<Fate>
  /** The sources under which this id is recorded; usually one. */
  sourcesOf(project: string, id: string): Promise<string[]>

  getDeliveries(keys: readonly DeliveryKey[]): Promise<(Delivery | undefined)[]>
  /** Writes marks that hold no event (done, retrying) for deliveries that have none; one verdict each, in order. */
  insertDeliveries(marks: readonly (DeliveryKey & Delivery)[]): Promise<InsertVerdict[]>
  /**
   * Writes a mark unless the delivery is done or dropped (both are final): false then.
   * A dead or parked mark clears its event's expiry, any other sets it again.
   */
  mark(key: DeliveryKey, delivery: Delivery): Promise<boolean>
  /**
   * Replaces a mark that still stands as it was seen, or makes the first; false otherwise. Unlike `mark` it reopens what was dead, and it
   * keeps and lets go of the event's expiry in the same way.
   */
  transition(change: Transition): Promise<boolean>
  /** Adds a note to a delivery, once each. */
  note(key: DeliveryKey, text: string): Promise<void>

  /** False when the same raw text is in quarantine already; one that was settled before waits anew. */
  quarantine(entry: Quarantined): Promise<boolean>
  getQuarantined(project: string, digest: string): Promise<Quarantined | undefined>
  /** Takes an entry off the list of what waits, and lets it expire. False when it is settled already or is not there. */
  settleQuarantined(project: string, digest: string, settled: Settlement): Promise<boolean>

  /** Pages of one hour and shard, oldest first, after the page id `after`. Eventually consistent is fine. */
  pages(at: {
    project: string
    hour: string
    shard: number
    after?: string | undefined
    limit: number
  }): Promise<Page[]>
  /**
   * Where open deliveries stand, by the index alone, by state and then oldest change first.
   * `since`: only those changed at or after it; needs a state.
   */
  openMarks(query: {
    project: string
    subscriber: string
    state?: OpenState | undefined
    since?: string | undefined
    cursor?: string | undefined
    limit: number
  }): Promise<Listing<OpenMark>>
  /** What waits in quarantine, newest first. */
  quarantined(query: {
    project: string
    cursor?: string | undefined
    limit: number
  }): Promise<Listing<Quarantined>>
  /** Identities of the events of a story, but for its first, oldest first. Eventually consistent. */
  story(query: {
    project: string
    correlationid: string
    cursor?: string | undefined
    limit: number
  }): Promise<Listing<Identity>>
  /**
   * Events of a partition key by their sequence, lowest first: those alone whose type declares `ordered`.
   * `from`: none below this sequence. Eventually consistent.
   */
  byKey(query: {
    project: string
    partitionkey: string
    from?: number | undefined
    cursor?: string | undefined
    limit: number
  }): Promise<Listing<Identity & { sequence: number }>>
}

// ---- memory (state) ----------------------------------------------------------------------------

/** `kind` and `name` make the key within the project: `repository`, `octo/hello`. */
export type RecordKey = { project: string; kind: string; name: string }

/** Where a record stands in lists of its kind: `list` such as `runs/open`, `order` sorts within it. */
export type ListPlace = { list: string; order: string }

export type MemoryRecord = RecordKey & {
  version: number
  value: unknown
  place?: ListPlace | undefined
  /** ISO 8601; forgotten some time after it. Kept for ever without. */
  expires?: string | undefined
}

/** The record as it shall be; committed only if its version is still `version - 1` (1: there is none yet). */
export type MemoryWrite = MemoryRecord

export type OutboxItem = {
  project: string
  partitionkey: string
  /** the aggregate's version */
  sequence: number
  /** among the events of one change */
  index: number
  /** the frame for the record queue, without door and received */
  frame: unknown
}

export type Commit = {
  writes: readonly MemoryWrite[]
  outbox: readonly OutboxItem[]
  /** the delivery whose handling this is: refused as `done already` when it is marked done or dropped */
  mark?: (DeliveryKey & Delivery) | undefined
  /** a delivery that a command settles: refused as `done already` when it no longer stands as it was seen */
  transition?: Transition | undefined
}

export type CommitVerdict = 'committed' | 'done already' | 'version conflict'

export interface Memory {
  get(key: RecordKey): Promise<MemoryRecord | undefined>
  /** All or nothing. At most 100 items together. */
  commit(change: Commit): Promise<CommitVerdict>
  /** Records of a list, by `order`; newest first unless said. Eventually consistent. */
  list(query: {
    project: string
    list: string
    oldestFirst?: boolean | undefined
    cursor?: string | undefined
    limit: number
  }): Promise<Listing<MemoryRecord>>
  /** What waits to be sent for one partition key, in sequence. Consistent. */
  outbox(project: string, partitionkey: string): Promise<OutboxItem[]>
  removeFromOutbox(items: readonly OutboxItem[]): Promise<void>
  /** Partition keys of outbox items written before `before` (ISO 8601). Eventually consistent. */
  staleOutbox(project: string, before: string, limit: number): Promise<string[]>
}

// ---- ephemeral ---------------------------------------------------------------------------------

export interface Ephemeral {
  /** Keeps `value` under `key` for `seconds` unless something is there; answers what is there now. */
  putIfAbsent(key: string, value: string, seconds: number): Promise<string>
  /**
   * Adds to named counters under `key`, all in one step, and answers what they are now. They begin anew `seconds` after
   * the first that was added, whatever came since.
   */
  tally(
    key: string,
    amounts: Readonly<Record<string, number>>,
    seconds: number,
  ): Promise<Readonly<Record<string, number>>>
}

// ---- queues, bodies, time ----------------------------------------------------------------------

/**
 * What lies on the queue of an ordered route: one `group` is handed over one after the other, as it was sent; of one
 * `dedupe` only the first is taken for five minutes, even when that has been deleted meanwhile. Both: 1 to 128 of
 * letters, digits and punctuation.
 */
export type OrderedMessage = { body: string; group: string; dedupe: string }

/** `record`, or a subscriber's name. */
export interface Queues {
  /**
   * Sends each message; answers the failed ones by their index, with why. Splits into batches by itself. Of one group of
   * ordered messages nothing is sent after the first that fails: those are answered as failed too.
   */
  send(
    queue: string,
    messages: readonly (string | OrderedMessage)[],
  ): Promise<{ index: number; error: unknown }[]>
  /** Approximate messages that are visible, in flight and delayed, together. */
  depth(queue: string): Promise<number>
}

export interface Bodies {
  put(key: string, body: Uint8Array): Promise<void>
  /** undefined when it is gone */
  get(key: string): Promise<Uint8Array | undefined>
}

/** What is deployed. */
export interface Stacks {
  /** The template of a stack as it is deployed now, with what its macros made of it, parsed; undefined when there is none. */
  template(stack: string): Promise<unknown>
}

export interface Workflows {
  /** 'exists' when a run of this name was started before. */
  start(workflow: string, name: string, input: unknown): Promise<'started' | 'exists'>
  stop(workflow: string, name: string, reason: string): Promise<void>
  /** undefined when nothing is known of it */
  describe(workflow: string, name: string): Promise<RunDescription | undefined>
  /** Answers a task token; 'gone' when the run no longer waits for it. */
  succeedTask(token: string, output: unknown): Promise<'answered' | 'gone'>
}

export type RunDescription = {
  workflow: string
  name: string
  arn: string
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED'
  started: string
  ended?: string | undefined
  error?: string | undefined
  cause?: string | undefined
  input?: unknown
  output?: unknown
}

/** Now, as ISO 8601 in UTC with milliseconds. */
export type Clock = () => string

/** A number in [0, 1). */
export type Random = () => number
