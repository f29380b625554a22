import { inMemoryBodies } from '../adapters/in-memory/bodies.ts'
import { inMemoryHistory } from '../adapters/in-memory/history.ts'
import { inMemoryLanes } from '../adapters/in-memory/lanes.ts'
import { inMemoryMemory } from '../adapters/in-memory/memory.ts'
import { inMemoryQueues } from '../adapters/in-memory/queues.ts'
import { inMemoryWorkflows } from '../adapters/in-memory/workflows.ts'
import { createApi } from '../api/app.ts'
import type { ApiDeps } from '../api/context.ts'
import { consume } from '../core/consume/consume.ts'
import { startRun } from '../core/domain/start-run.ts'
import { type Arrival, readMessage } from '../core/event/arrival.ts'
import { newKey, type Principal, type Scope } from '../core/gate/access.ts'
import { record } from '../core/gate/record.ts'
import { orderedIn } from '../events/route.ts'
import { routes, routeTo } from '../events/routes.ts'

/** The whole API for tests, on ports in memory, with one clock that stands until it is moved. */
export function world(overrides: Partial<ApiDeps> = {}) {
  let time = Date.parse('2026-01-10T12:30:00.000Z')
  let count = 0
  const now = () => new Date(time).toISOString()
  const bodies = inMemoryBodies()
  const history = inMemoryHistory({ bodies })
  const memory = inMemoryMemory({ clock: now, history })
  const queues = inMemoryQueues({ ordered: orderedIn(routes), clock: now })
  const workflows = inMemoryWorkflows({ clock: now })
  const lanes = inMemoryLanes({ history })
  const lines: Readonly<Record<string, unknown>>[] = []
  const newId = () => `id${String(++count).padStart(14, '0')}`
  const newSecret = () => String(++count).padStart(64, '0')
  const deps: ApiDeps = {
    history,
    memory,
    queues,
    bodies,
    workflows,
    lanes,
    now,
    random: Math.random,
    newId,
    newSecret,
    stage: 'test',
    version: '1.2.3',
    log: (line) => lines.push(line),
    ...overrides,
  }
  const app = createApi(deps)
  const gate = { history, queues, bodies, clock: now, random: Math.random, routes }

  /** A credential with these scopes. */
  async function key(project: string, scopes: readonly Scope[], expires?: string): Promise<string> {
    const by: Principal = { actor: 'system', project, scopes: ['admin'] }
    const made = newKey({ name: 'test', project, scopes, expires }, by, {
      id: newId(),
      secret: newSecret(),
      now: now(),
    })
    await memory.commit({ writes: [made.write], outbox: [] })
    return made.credential
  }

  /** Puts an event through the gate, as if it had come by HTTP. */
  async function put(project: string, event: { id: string } & Record<string, unknown>) {
    const sent = { specversion: '1.0', source: 'urn:test', type: 'a.b', ...event }
    const arrival: Arrival = {
      door: 'http',
      project,
      actor: 'user:test',
      received: now(),
      raw: JSON.stringify(sent),
      ifInvalid: 'quarantine',
      content: { kind: 'incoming', event: sent },
    }
    const [outcome] = await record([arrival], gate)
    return outcome
  }

  /** What record and start-workflow do with what lies on their queues; answers the names of the runs that began. */
  async function startRuns(workflow: 'test-and-validate'): Promise<string[]> {
    await record(
      queues.take('record').map((message) => readMessage(message, now(), {})),
      gate,
    )
    const began: string[] = []
    const noting = {
      ...workflows,
      start: async (...given: Parameters<typeof workflows.start>) => {
        began.push(given[1])
        return workflows.start(...given)
      },
    }
    const messages = queues.take(workflow).map((body) => ({ body, receiveCount: 1 }))
    const handler = (handled: Parameters<typeof startRun>[1]) =>
      startRun(workflow, handled, { memory, workflows: noting })
    await consume(routeTo(workflow), handler, messages, { ...gate, memory })
    return began
  }

  /** One request; a body is sent as JSON. */
  async function ask(
    credential: string | undefined,
    request: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) {
    const [method = 'GET', path = ''] = request.split(' ')
    const response = await app.request(path, {
      method,
      headers: {
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  /** Every item of a list, page by page, and how many pages there were. */
  async function list(credential: string, path: string) {
    const items: Record<string, unknown>[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const and = path.includes('?') ? '&' : '?'
      const answer = await ask(
        credential,
        `GET ${path}${cursor === undefined ? '' : `${and}cursor=${cursor}`}`,
      )
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      const most = Number(/limit=(\d+)/.exec(path)?.[1] ?? 50)
      if (answer.body.items.length > most) throw new Error(`${path}: a page of ${answer.body.items.length}`)
      items.push(...answer.body.items)
      cursor = answer.body.next
      pages += 1
    } while (cursor !== undefined && pages < 1000)
    return { items, pages }
  }

  return {
    ...{ app, deps, history, memory, queues, workflows, bodies, lines },
    ...{ key, put, ask, list, now, startRuns },
    wait: (milliseconds: number) => {
      time += milliseconds
    },
  }
}
export type World = ReturnType<typeof world>
