import { listed } from '../../mesh/listed.ts'
import type { Loaded } from '../../mesh/load.ts'
import type { Law, Mesh, MeshElement } from '../../mesh/model.ts'
import { anyType, isWay, type Send, toldBy } from '../../mesh/passing.ts'
import type { Cli } from '../context.ts'
import { type Paint, table } from '../output.ts'
import { type AppOptions, loadedApp, meshOfApp } from './app.ts'
import { digits, leftOut } from './bare.ts'
import { analysing } from './files.ts'

/** Elements that a text shows: of nodes it shows all, for they are what a file of rates names. */
const shownElements = 60

/** The document of an app: what its templates say, and what a file of rates that is given says is sent. */
export function showModel(cli: Cli, options: AppOptions): void {
  const { mesh, said = [] } = analysing((): Pick<Loaded, 'mesh'> & Partial<Pick<Loaded, 'said'>> =>
    options.rates === undefined ? { mesh: meshOfApp(cli, options) } : loadedApp(cli, options),
  )
  cli.show(mesh, (shown, p) => modelText(shown, said, p))
}

function modelText({ nodes, elements, unknown, unresolved }: Mesh, said: readonly Send[], p: Paint): string {
  const kinds = new Map(nodes.map(({ id, kind }) => [id, kind]))
  const saidOf = (element: MeshElement): Send[] => {
    const from = kinds.get(element.from)
    return said.filter(
      (send) =>
        isWay(element, from) &&
        send.from === element.from &&
        send.to === element.to &&
        [undefined, send.type].includes(toldBy(element, from)),
    )
  }
  const names = new Map(nodes.map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? id
  const left = [
    ...unknown.map(({ type, paths }) => `not modelled: ${type} (${paths.length})`),
    ...unresolved.map(({ at, reference }) => `not followed: ${reference}, at ${at}`),
  ]
  return [
    table(
      p,
      ['kind', 'name', 'path', 'limits'],
      nodes.map(({ kind, name, path, laws }) => [kind, name, path, limitsOf(laws)]),
    ),
    ...(elements.length === 0
      ? []
      : [
          '',
          table(
            p,
            ['element', 'from → to', 'carries', 'says', 'limits'],
            elements.slice(0, shownElements).map((one) => {
              const said = saidOf(one)
              return [
                one.kind,
                `${nameOf(one.from)} → ${nameOf(one.to)}`,
                said.length === 0 ? carried(one) : said.map(sent).join('; '),
                said.length === 0
                  ? one.provenance
                  : `${one.provenance}, ${said.every(({ measured }) => measured) ? 'measured' : 'declared'}`,
                limitsOf(one.laws),
              ]
            }),
          ),
        ]),
    ...leftOut(p, elements, 'elements', shownElements),
    ...left.map((line) => p.yellow(line)),
  ].join('\n')
}

const shownTypes = 3

/** Types, and of a call how many for each. */
function carried(element: MeshElement): string {
  const put = 'puts' in element && element.puts !== undefined ? [element.puts] : null
  const types = put ?? element.types
  const some = types === null ? 'any type' : listed(types, shownTypes)
  if (element.kind !== 'call') return some
  const each = forEach(element)
  return element.carries ? `${some}, ${each}` : `${element.action}, ${each}`
}

const forEach = ({ ratio, per }: { ratio: number | null; per: string | null }): string =>
  `${ratio === null ? '?' : digits(ratio)} for each${per === null ? '' : ` ${per}`}`

/** What a file of rates says of a way that the template has. */
const sent = (send: Send): string => `${send.type === anyType ? 'any type' : send.type}, ${forEach(send)}`

const limitsOf = (laws: readonly Law[]): string => laws.map(limitOf).join('; ')

const beyond = { wait: 'or waits', refuse: 'or refused', delay: 'or delayed' }

/** A law in short, with who says so. */
function limitOf(law: Law): string {
  switch (law.law) {
    case 'servers':
      return `${digits(law.servers)} at once ${beyond[law.over]} (${saidBy(law)})`
    case 'tokens':
      return `${digits(law.rate)} ${law.unit}/s ${beyond[law.over]} (${saidBy(law)})`
    case 'scaling':
      return `${digits(law.initial)}${law.ahead === undefined ? '' : `, ${digits(law.ahead)} at once beyond those that run`} and ${digits(law.perMinute)}/min more up to ${digits(law.most)} (${law.from})`
    case 'latency':
      return `takes ${digits(law.p50)} s, p99 ${digits(law.p99)} s (${law.from})`
  }
}

const saidBy = ({ from, shared }: { from: string; shared?: string | undefined }): string =>
  shared === undefined ? from : `${from}, shared`
