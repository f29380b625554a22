import { expect, it } from 'vitest'
import { element, functionNode, meshFrom, node, poll, queueNode, send } from '../../test/meshes.ts'
import { partsOf } from './parts.ts'

it('tells the ways of events from what is merely permitted, used, dead, or sent after a failure only', () => {
  const mesh = meshFrom(
    [
      queueNode('q'),
      functionNode('f'),
      queueNode('r'),
      functionNode('g'),
      queueNode('dlq'),
      node('table', 't'),
    ],
    [
      poll('q', 'f'),
      send('f', 'r', 1),
      { ...send('f', 'q', null), id: 'maybe', provenance: 'inferred' },
      { ...send('g', 'q', 0), id: 'again' },
      poll('r', 'g'),
      element('call', 'g', 't'),
      element('dead-letter', 'q', 'dlq'),
    ],
  )
  expect(partsOf(mesh).drawn.map(({ part }) => part)).toEqual([
    ...['way', 'way', 'may', 'after', 'way', 'store', 'dead'],
  ])
})
