// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { seeded } from '../../mesh/random.ts'

type Value = null | boolean | number | string | Value[] | { [key: string]: Value }

/** What nobody writes on purpose, and what CloudFormation lets stand anywhere. `name`: a logical id of the template. */
const odd = (name: string): Value[] => [
  ...[
    null,
    true,
    0,
    -1,
    0.5,
    1e308,
    '',
    ' ',
    '30',
    'NaN',
    '-1',
    'x'.repeat(300),
    'ünïcode 🚀',
    '\uE000?\uE001x\uE002',
  ],
  ...[
    '{',
    '[]',
    '{"a":',
    '{"StartAt":"A","States":{"A":{"Type":"Task"}}}',
    '{"States":[]}',
    '${',
    '${A.B.C}',
  ],
  ...[
    'arn:aws:sqs:::',
    'arn:aws:lambda:eu-west-1:1:function:',
    'arn:::::',
    'https://',
    'rate(0 minutes)',
    'cron(* *)',
  ],
  ...[[], {}, [[]], [{}], { '': '' }, { constructor: 1 }, { Ref: 1 }, { Ref: name }, { Ref: 'Nowhere' }],
  ...[
    { Ref: 'AWS::NoValue' },
    { Ref: 'AWS::StackId' },
    { 'Fn::GetAtt': name },
    { 'Fn::GetAtt': [name, 'Arn'] },
  ],
  ...[
    { 'Fn::GetAtt': [] },
    { 'Fn::GetAtt': [name, { Ref: name }] },
    { 'Fn::Sub': [] },
    { 'Fn::Sub': `\${${name}.Arn}/*` },
  ],
  ...[{ 'Fn::Sub': ['${a}', { a: { Ref: name } }] }, { 'Fn::Join': ['', ['a', { Ref: name }, 1, null]] }],
  ...[
    { 'Fn::Join': [1, 2] },
    { 'Fn::Select': [9, []] },
    { 'Fn::Select': ['a', { 'Fn::Split': ['', { Ref: name }] }] },
  ],
  ...[
    { 'Fn::Split': [':', { 'Fn::GetAtt': [name, 'Arn'] }] },
    { 'Fn::If': ['Nowhere', 1, 2] },
    { 'Fn::If': [] },
  ],
  ...[
    { 'Fn::If': ['Odd', { Ref: name }, { Ref: 'AWS::NoValue' }] },
    { 'Fn::FindInMap': ['M', { Ref: name }, 'x'] },
  ],
  ...[
    { 'Fn::ImportValue': { 'Fn::Sub': name } },
    { 'Fn::GetStackOutput': { StackName: 'x', OutputName: 'y' } },
  ],
  ...[
    { 'Fn::Length': { Ref: name } },
    { 'Fn::ToJsonString': { a: { Ref: name } } },
    { 'Fn::Transform': { Name: 'x' } },
  ],
  ...[
    { 'Fn::ForEach::x': [] },
    { 'Fn::Base64': [] },
    { Condition: 'Nowhere' },
    '{{resolve:ssm:x}}',
    '{{resolve:ssm:}}',
  ],
]

/** A template with some of its values replaced, taken away, doubled or moved: the same for the same seed. */
export function mutated(text: string, seed: number): unknown {
  const random = seeded(seed)
  const below = (count: number) => Math.floor(random() * count)
  const template: Value = JSON.parse(text)
  const names = Object.keys((template as { Resources: object }).Resources)
  const odds = odd(names[below(names.length)] ?? '')
  const places: { in: Value[] | { [key: string]: Value }; at: string }[] = []
  const walk = (value: Value) => {
    if (typeof value !== 'object' || value === null) return
    for (const [at, inner] of Object.entries(value)) {
      places.push({ in: value, at })
      walk(inner)
    }
  }
  walk(template)
  const put = ({ in: holder, at }: (typeof places)[number], value: Value) =>
    Object.defineProperty(holder, at, { value, enumerable: true, configurable: true, writable: true })
  for (let times = 1 + below(12); times > 0; times--) {
    const place = places[below(places.length)]
    const other = places[below(places.length)]
    if (place === undefined || other === undefined) continue
    const way = random()
    if (way < 0.6) put(place, odds[below(odds.length)] ?? null)
    else if (way < 0.75) Reflect.deleteProperty(place.in, place.at)
    else put(place, JSON.parse(JSON.stringify(Reflect.get(other.in, other.at) ?? null)))
  }
  return JSON.parse(JSON.stringify(template))
}
