import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { meshFiles } from '../test/cli/mesh-files.ts'
import { loadpath } from '../test/cli/terminal.ts'

const { folder, file, template } = meshFiles()
const rates = file(
  'rates.yaml',
  'version: 1\narrivals: { Orders: { order.placed: 20/s } }\nservice: { Worker: { mean: 400ms } }\n',
)
const app = ['--app', template, '--rates', rates]

describe('an app', () => {
  it('has its findings, its limits and its score, and a page that asks nobody', async () => {
    const html = join(folder, 'mesh.html')
    const comment = join(folder, 'comment.md')
    const files = ['--html', html, '--markdown', comment]
    const { code, out } = await loadpath(['mesh', 'comprehensive', ...app, ...files, '--json'])
    expect(code).toBe(0)
    const report = JSON.parse(out)
    expect(report.static.safety).toMatchObject({ factor: 1.25, unit: 'servers' })
    expect(report.findings.map(({ rule }: { rule: string }) => rule)).toEqual(
      expect.arrayContaining(['visibility-short', 'no-redrive', 'no-partial-batch']),
    )
    expect(readFileSync(comment, 'utf8')).toMatch(
      /^## Mesh: score .+\n[\s\S]+\(visibility-short, template\/Orders\)/,
    )
    const page = readFileSync(html, 'utf8')
    expect(page).toContain('<svg class="mesh"')
    expect(page).not.toMatch(/src=|href="(?!#)|https?:\/\/(?!www\.w3\.org)[^<]*\.(js|css|woff)/)
  })

  it('fails below the threshold, and tells what changed since an earlier report', async () => {
    const { out } = await loadpath(['mesh', 'comprehensive', ...app, '--json'])
    const before = file('before.json', out)
    const again = await loadpath([
      'mesh',
      'comprehensive',
      ...app,
      '--before',
      before,
      '--threshold',
      '99',
      '--json',
    ])
    expect(again.code).toBe(1)
    expect(JSON.parse(again.out).trend).toEqual({
      ...{ score: 0, appeared: [], gone: [], terms: [] },
      nodes: { added: [], removed: [] },
      elements: { added: [], removed: [] },
    })
  })

  it('is not compared with a report of another', async () => {
    const other = file('other.json', {
      Resources: { Letters: { Type: 'AWS::SQS::Queue' } },
    })
    const before = file(
      'letters-before.json',
      (await loadpath(['mesh', 'comprehensive', '--app', other, '--json'])).out,
    )
    const words = ['mesh', 'comprehensive', ...app, '--before', before]
    expect(JSON.parse((await loadpath([...words, '--json'])).out).trend).toBeNull()
    expect((await loadpath(words)).err).toMatch(
      /letters-before.json: is a report of another app \(other\), with no node of this one/,
    )
  })

  it('without rates has no score, which is below any threshold', async () => {
    const { code, out } = await loadpath(['mesh', 'comprehensive', '--app', template, '--threshold', '1'])
    expect(code).toBe(1)
    expect(out).toMatch(/^no score, unknown/)
  })

  it.each([
    ['model', 'mesh'],
    ['comprehensive', 'comprehensive'],
  ])('%s --json is what docs/schemas/mesh/%s.json says', async (analysis, name) => {
    const schema = z.fromJSONSchema(
      JSON.parse(
        readFileSync(join(import.meta.dirname, '..', 'docs', 'schemas', 'mesh', `${name}.json`), 'utf8'),
      ),
    )
    const { out } = await loadpath(['mesh', analysis, ...app, '--json'])
    expect(schema.safeParse(JSON.parse(out)).error).toBeUndefined()
    expect(schema.safeParse({ ...JSON.parse(out), version: 0 }).success).toBe(false)
  })

  it.each(['model', 'static', 'dynamic', 'nonlinear', 'fracture'])(
    '%s is shown to people',
    async (analysis) => {
      const { code, out } = await loadpath(['mesh', analysis, ...app])
      expect(code).toBe(0)
      expect(out).toContain('Worker')
    },
  )
})

it('a finding in a text has its rule and construct path', async () => {
  const { out } = await loadpath(['mesh', 'comprehensive', ...app])
  expect(out).toMatch(/^ {2}visibility-short template\/Orders$/m)
})

it('what is assumed stands at the end of every text', async () => {
  for (const analysis of ['static', 'dynamic', 'nonlinear', 'fracture', 'comprehensive']) {
    const { out } = await loadpath(['mesh', analysis, ...app])
    expect(out.trim().split('\n').at(-1), analysis).toMatch(/^assumed: /)
  }
})

it('a text calls places by their names, what has no end ∞, and tells ways apart by what ends them', async () => {
  const resources = JSON.parse(readFileSync(template, 'utf8')).Resources
  const both = file('both.json', { Resources: { ...resources, Out: { Type: 'AWS::SQS::Queue' } } })
  const over = file(
    'over.yaml',
    'version: 1\narrivals: { Orders: { o: 40/s } }\nservice: { Worker: { mean: 400ms } }\nsends: [{ from: Worker, to: Out, type: a }, { from: Worker, to: Out, type: b }]\n',
  )
  const told = async (analysis: string) =>
    (await loadpath(['mesh', analysis, '--app', both, '--rates', over])).out
  expect(await told('comprehensive')).toMatch(/^latency +∞ +30 +s +∞/m)
  expect(await told('nonlinear')).toMatch(/times the load Worker is at its capacity/)
  const broken = await told('fracture')
  for (const type of ['a', 'b']) expect(broken).toContain(`Orders → Out as ${type} `)
})

it('a text says how much more there is than it shows', async () => {
  const queues = Array.from({ length: 30 }, (_, index) => [`Queue${index}`, { Type: 'AWS::SQS::Queue' }])
  const many = file('many.json', { Resources: Object.fromEntries(queues) })
  const { out } = await loadpath(['mesh', 'comprehensive', '--app', many])
  expect(out).toMatch(/and \d+ more findings: --json has all/)
})

it('an outage, a seed, the types and the rise of a surge may be said', async () => {
  const told = async (...words: string[]) =>
    JSON.parse((await loadpath(['mesh', ...words, ...app, '--json'])).out)
  expect((await told('fracture', '--outage', '5m')).outage).toBe(300)
  expect((await told('comprehensive', '--outage', '1h', '--seed', '7')).fracture.outage).toBe(3600)
  const surge = await told('dynamic', '--type', 'order.placed', '--rise', '5m', '--seed', '3')
  expect(surge).toMatchObject({ seed: 3, shape: { rise: 300, types: ['order.placed'] } })
  const { code, err } = await loadpath(['mesh', 'dynamic', ...app, '--type', 'none'])
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('types: no none comes in') })
})

describe('a surge', () => {
  it('has each limit once, by what it is counted in', async () => {
    const { out } = await loadpath(['mesh', 'dynamic', ...app])
    const rows = out.split('\n').filter((line) => line.startsWith('Orders → Worker '))
    expect(rows).toEqual([
      expect.stringMatching(/^Orders → Worker +servers +\S/),
      expect.stringMatching(/^Orders → Worker +servers, as they come +\S/),
    ])
  })

  it('of a burst is shorter than a step, unless somebody says for how long', async () => {
    const held = async (...words: string[]) =>
      JSON.parse((await loadpath(['mesh', 'dynamic', ...app, ...words, '--json'])).out).shape.hold
    expect(await held('--shape', 'step')).toBe(600)
    expect(await held('--shape', 'burst')).toBe(30)
    expect(await held('--shape', 'burst', '--hold', '1m')).toBe(60)
  })

  it('may be by any factor above 0', async () => {
    const by = (factor: string) => loadpath(['mesh', 'dynamic', ...app, '--factor', factor, '--json'])
    expect(JSON.parse((await by('1.25')).out).shape.factor).toBe(1.25)
    expect(await by('0')).toMatchObject({ code: 2, err: expect.stringContaining('a number above 0') })
  })
})

it('a threshold is a score', async () => {
  const by = async (threshold: string, ...words: string[]) =>
    (await loadpath(['mesh', 'comprehensive', ...words, '--threshold', threshold])).code
  expect(await Promise.all(['0', '48.9', '49.1', '101', 'much'].map((one) => by(one, ...app)))).toEqual([
    ...[0, 0, 1, 2, 2],
  ])
  expect(await by('0', '--app', template)).toBe(1)
})

it('a measured rate tells what must come from elsewhere to explain it', async () => {
  const known = file(
    'measured.yaml',
    'version: 1\narrivals: { Orders: { order.placed: 2/s } }\nmeasured: { Orders: { order.placed: 5/s } }\n',
  )
  const { out } = await loadpath(['mesh', 'static', '--app', template, '--rates', known])
  expect(out).toContain('measured: 3 a second of order.placed at Orders more than what leads there brings')
})

it('a region that the template does not name may be said', async () => {
  const limits = async (...more: string[]) => {
    const { out } = await loadpath(['mesh', 'static', ...app, ...more, '--json'])
    return JSON.parse(out).assumptions.join('\n')
  }
  expect(await limits()).toMatch(/template: no region in the template, so of each limit the least/)
  expect(await limits('--region', 'eu-west-1')).toMatch(/no region in the template, taken as eu-west-1/)
})

it('a timeout that only a deployment knows is none to hold a time against', async () => {
  const worker = { Type: 'AWS::Lambda::Function', Properties: { Timeout: { Ref: 'Seconds' } } }
  const later = file('later.json', {
    ...{ Parameters: { Seconds: { Type: 'Number' } }, Resources: { Worker: worker } },
  })
  const slow = file('slow.yaml', 'version: 1\nservice: { Worker: { mean: 40s } }\n')
  expect((await loadpath(['mesh', 'static', '--app', later, '--rates', slow])).code).toBe(0)
})

describe('bad input', () => {
  it.each([
    [['static', ...app, '--region', 'europe'], /region: europe is none of AWS: give one such as eu-west-1/],
    [['static', '--app', join(folder, 'none')], /none: is not there/],
    [['static', '--app', file('broken.json', '{')], /broken.json/],
    [
      ['static', ...['--app', template, '--rates', file('v.yaml', 'version: 2')]],
      /v.yaml: version: expected version: 1/,
    ],
    [
      [
        'static',
        ...['--app', template, '--rates', file('n.yaml', 'version: 1\narrivals: { Orders: { a: -1 } }')],
      ],
      /n.yaml: arrivals.Orders.a: expected a rate above 0/,
    ],
    [
      [
        'static',
        ...['--app', template, '--rates', file('m.yaml', 'version: 1\narrivals: { Orders: { a: 1e300 } }')],
      ],
      /m.yaml: arrivals.Orders.a: expected a rate above 0.*, and at most 1,000,000,000, not 1e\+300/,
    ],
    [
      [
        'static',
        ...['--app', template, '--rates', file('u.yaml', 'version: 1\nservice: { Worker: { mean: 400 } }')],
      ],
      /400 s is longer than the function's timeout of 10 s.*400ms/,
    ],
    [
      [
        'static',
        ...['--app', template, '--rates', file('w.yaml', 'version: 1\narrivals: { Order: { a: 1 } }')],
      ],
      /there is no node Order; near it: Orders/,
    ],
    [
      ['static', '--network', file('p.json', { nodes: {}, arrivals: {} })],
      /p.json: arrivals: nothing arrives/,
    ],
    [['fracture', '--graph', file('g.json', { edges: [], root: 'a', sinks: ['b'] })], /g.json: edges/],
    [
      [
        'static',
        ...['--app', template, '--rates', file('x.yaml', 'version: 1\narrivals: { Ordres: { a: 1 } }')],
      ],
      /there is no node Ordres; near it: Orders/,
    ],
    [
      [
        'static',
        ...[
          '--app',
          template,
          '--rates',
          file('c.yaml', 'version: 1\nconstants: { lambda-concurrency: -5 }'),
        ],
      ],
      /c.yaml: constants.lambda-concurrency: expected a number above 0/,
    ],
    [
      [
        'static',
        ...['--app', template, '--rates', file('d.yaml', 'version: 1\nconstants: { lambda-concurency: 5 }')],
      ],
      /d.yaml: constants: there is none named lambda-concurency; near it: lambda-concurrency/,
    ],
    [['comprehensive', ...app, '--before', file('b.json', '{}')], /b.json: is no report/],
    [
      ['comprehensive', ...app, '--before', file('o.json', '{"version":0}')],
      /o.json: is a report of version 0, and this one writes and reads 1: make it anew/,
    ],
    [
      ['comprehensive', ...app, '--html', join(folder, 'none', 'x.html')],
      /x.html cannot be written: there is no such folder/,
    ],
  ])('%j', async (words, message) => {
    const { code, err } = await loadpath(['mesh', ...words])
    expect(code).toBe(1)
    expect(err).toMatch(message)
  })

  it('two things at once that do not go together', async () => {
    const { code, err } = await loadpath(['mesh', 'static', '--network', 'n.json', ...app])
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringContaining('--network is analysed by itself'),
    })
  })
})
