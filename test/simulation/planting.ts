import type { Context } from 'aws-lambda'
import type { HandlerAny } from '../../core/event/handler.ts'
import type { History, Memory, OrderedMessage, Queues } from '../../core/ports.ts'
import type { Route } from '../../events/route.ts'
import type { Process } from './calls.ts'
import type { Chance } from './chance.ts'
import type { Ports } from './ports.ts'
import type { Stores } from './stores.ts'

/** How a mistake is planted: by what the real code is given, never by the code itself. */
export type Bug = {
  ports?: (ports: Ports, process: Process, world: { chance: Chance; stored: Stores }) => Ports
  /** around a function of a kind */
  entry?: (entry: Entry, process: Process) => Entry
  handler?: (handler: HandlerAny, route: Route, ports: Ports) => HandlerAny
}
export type Planted = NonNullable<Bug['ports']>
export type Entry = (event: never, context: Context) => Promise<unknown>

export const inHistory =
  (
    change: (history: History, ports: Ports, world: { chance: Chance; stored: Stores }) => Partial<History>,
  ): Planted =>
  (ports, _, world) => ({
    ...ports,
    history: { ...methodsOf(ports.history), ...change(ports.history, ports, world) },
  })

export const inMemory =
  (change: (memory: Memory, process: Process, stored: Stores) => Partial<Memory>): Planted =>
  (ports, process, { stored }) => ({
    ...ports,
    memory: { ...methodsOf(ports.memory), ...change(ports.memory, process, stored) },
  })

export const inSends =
  (change: (send: Queues['send'], process: Process, chance: Chance) => Queues['send']): Planted =>
  (ports, process, { chance }) => ({
    ...ports,
    queues: { send: change(ports.queues.send, process, chance), depth: (queue) => ports.queues.depth(queue) },
  })

/** Of a port behind a proxy, to be spread with one method replaced. */
export function methodsOf<Port extends object>(port: Port): Port {
  const methods: Record<string, unknown> = {}
  for (const name of Object.keys(port)) methods[name] = Reflect.get(port, name)
  return methods as Port
}

/** Frames on their way to a queue, changed. */
export const reframed =
  (
    queue: (name: string) => boolean,
    change: (frame: Frame) => Frame,
  ): ((send: Queues['send']) => Queues['send']) =>
  (send) =>
  (name, messages) =>
    send(name, queue(name) ? messages.map((message) => inMessage(message, change)) : messages)

export type Frame = Record<string, unknown> & {
  door?: string
  cause?: object
  event: Record<string, unknown>
}

function inMessage(
  message: string | OrderedMessage,
  change: (frame: Frame) => Frame,
): string | OrderedMessage {
  const text = (body: string) => JSON.stringify(change(JSON.parse(body) as Frame))
  return typeof message === 'string' ? text(message) : { ...message, body: text(message.body) }
}

export const isRecord = (queue: string): boolean => queue === 'record'
export const consumes = ({ kind }: Process): boolean => kind.startsWith('consume ')
