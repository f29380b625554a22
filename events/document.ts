import * as z from 'zod'
import { eventTypes } from './catalogue.ts'
import { type EventType, retentionDays } from './event-type.ts'
import { type Route, typeName } from './route.ts'
import { producers, routes } from './routes.ts'

/** Every file that is derived from the catalogue: path under docs/ -> text. */
export function derivedDocuments(): Map<string, string> {
  const documents = new Map([['events.md', eventsPage()]])
  for (const eventType of eventTypes)
    for (const [index, schema] of [...eventType.older.map((old) => old.schema), eventType.schema].entries())
      documents.set(`schemas/${eventType.type}/${index + 1}.json`, jsonSchema(eventType, schema, index + 1))
  return documents
}

function jsonSchema(eventType: EventType, schema: z.ZodType, version: number): string {
  const document = {
    $id: `https://loadpath.dev/schemas/${eventType.type}/${version}`,
    title: `${eventType.type} version ${version}`,
    description: eventType.description,
    ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

const allRoutes: readonly Route[] = routes

const receiversOf = (type: string): string[] =>
  allRoutes
    .filter((route) => route.types.some((wanted) => typeName(wanted) === type))
    .map((route) => route.subscriber)

const producersOf = (eventType: EventType): string[] =>
  eventType.origin === 'outside'
    ? ['other systems, by any door']
    : [
        ...allRoutes.filter((route) => route.emits.includes(eventType)).map((route) => route.subscriber),
        ...Object.keys(producers).filter((name) => producers[name]?.includes(eventType)),
      ]

const listed = (names: readonly string[]): string => (names.length === 0 ? 'nobody yet' : names.join(', '))

function eventsPage(): string {
  const overview = eventTypes.map(
    ({ type, origin, description }) =>
      `| [${type}](#${anchor(type)}) | ${origin} | ${listed(receiversOf(type))} | ${description} |`,
  )
  const subscribers = allRoutes.map(
    (route) =>
      `| ${route.subscriber} | ${route.kind} | ${route.types.map(typeName).join(', ')} | ${route.effect} | ${route.attempts} | ${listedOr(route.emits.map(typeName), 'nothing')} |`,
  )
  return [
    '# Events',
    '',
    'Derived from `events/` by `npm run docs`; a test fails when it is stale. Who gets what is `events/routes.ts`.',
    '',
    '| type | from | received by | it says |',
    '|---|---|---|---|',
    ...overview,
    '',
    '## Subscribers',
    '',
    '| subscriber | kind | takes | effect | attempts | emits |',
    '|---|---|---|---|---|---|',
    ...subscribers,
    '',
    ...eventTypes.flatMap(section),
  ].join('\n')
}

const listedOr = (names: readonly string[], otherwise: string): string =>
  names.length === 0 ? otherwise : names.join(', ')

const anchor = (type: string): string => type.replaceAll('.', '')

function section(eventType: EventType): string[] {
  const { type, description, origin, retention, version, personal } = eventType
  const schemas = Array.from(
    { length: version },
    (_, index) => `[${index + 1}](schemas/${type}/${index + 1}.json)`,
  ).join(', ')
  return [
    `## ${type}`,
    '',
    description,
    '',
    `- origin: ${origin === 'ours' ? 'ours; from outside it is refused as forged' : 'outside'}`,
    `- kept: ${retentionDays[retention]} days (${retention})`,
    `- versions: ${schemas}`,
    `- produced by: ${listed(producersOf(eventType))}`,
    `- received by: ${listed(receiversOf(type))}`,
    ...(personal.length === 0
      ? []
      : [`- personal data: ${personal.map((path) => `\`${path}\``).join(', ')}`]),
    '',
    '```json',
    JSON.stringify(eventType.example, null, 2),
    '```',
    '',
  ]
}
