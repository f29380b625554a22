import { expect, it } from 'vitest'
import { delivery, functionNode, loadedWith, meshFrom, node, tokens } from '../../test/meshes.ts'
import { analyseStatic } from './analyse.ts'

const pool = { ...tokens(750, 750, 'delay', 'deliveries'), shared: 'invocations' }
const rule = (id: string, narrower: boolean) => node('rule', id, { narrower }, [pool])

it.each([
  [900, true, false],
  [900, false, true],
  [0, true, true],
])(
  'of %d a second to a rule that asks for more (%j) deliveries beside those of another are known: %j',
  (rate, narrower, complete) => {
    const mesh = meshFrom(
      [node('bus', 'b'), rule('vip', narrower), node('bus', 'c'), rule('all', false), functionNode('f')],
      [delivery('b', 'vip'), delivery('vip', 'f'), delivery('c', 'all'), delivery('all', 'f')],
    )
    const { stresses } = analyseStatic(loadedWith(mesh, { b: rate, c: 10 }, { f: 0.01 }))
    expect(stresses.find(({ at }) => at === 'invocations')).toMatchObject({
      ...{ demand: 10 + (narrower ? 0 : rate), complete },
    })
  },
)
