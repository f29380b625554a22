import { describe, expect, it } from 'vitest'
import { element, functionNode, loadedWith, meshFrom, node, queueNode, servers } from '../../test/meshes.ts'
import { comprehensive } from '../comprehensive/analyse.ts'
import type { ComprehensiveReport } from '../comprehensive/report.ts'
import type { Loads } from '../loads.ts'
import { markdown, plain } from './markdown.ts'
import { page } from './page.ts'

const named = (
  names: readonly string[],
  before?: ComprehensiveReport,
  accepted: Loads['accepted'] = [],
): ComprehensiveReport => {
  const mesh = meshFrom(
    names.flatMap((name) => [
      queueNode(`${name}-queue`, { visibility: 1 }),
      functionNode(name, [servers(2)]),
    ]),
    names.map((name) => element('poll', `${name}-queue`, name)),
  )
  const arrivals = Object.fromEntries(names.map((name) => [`${name}-queue`, 1]))
  const loaded = loadedWith(mesh, arrivals, Object.fromEntries(names.map((name) => [name, 1])))
  return comprehensive({ ...loaded, accepted }, before === undefined ? {} : { before })
}

describe('text', () => {
  it.each([
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['a|b', 'a\\|b'],
    ['[x](https://evil.example)', '\\[x\\](https:/\u200b/evil.example)'],
    ['# head\n- item', '#\u200b head - item'],
    ['@octocat #12', '@\u200boctocat #\u200b12'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['`code` *b* _i_ ~~s~~ $m$', '\\`code\\` \\*b\\* \\_i\\_ \\~\\~s\\~\\~ \\$m\\$'],
    ['&lt;', '&amp;lt;'],
  ])('%j is %j', (text, expected) => expect(plain(text)).toBe(expected))
})

describe('a comment', () => {
  it('has the score, the findings with how to mend them, what is used most, and what was assumed', () => {
    const text = markdown(named(['worker']))
    expect(text).toMatch(/^## Mesh: score \d+(\.\d)?, (strained|failing)\n/)
    expect(text).toContain('| worker | 1 | 2 | servers | 5 to 50 % | 2 |')
    expect(text).toMatch(/- \*\*high\*\* worker-queue: .+ \*.+\* \(visibility-short, worker-queue\)/)
    expect(text).toMatch(/<details><summary>Assumptions \(\d+\)<\/summary>\n\n- /)
    expect(text).not.toContain('### What changed')
  })

  it('folds in what somebody has decided to live with, and why', () => {
    const report = named(['worker'])
    const [first, ...others] = report.findings
    if (first === undefined) throw new Error('nothing is found')
    const decided = { ...report, findings: others, accepted: [{ ...first, because: 'it is so <b>' }] }
    const idle = [{ rule: 'no-redrive', at: 'gone', because: 'it was so' }]
    const text = markdown({ ...decided, needless: idle })
    expect(text).toContain(
      `<summary>Findings that are accepted (1)</summary>\n\n- worker-queue (${first.rule}): it is so &lt;b&gt;`,
    )
    expect(text).toContain('<summary>Accepted, and not found any more (1)</summary>\n\n- gone (no-redrive)')
    const html = page(meshFrom([queueNode('worker-queue')], []), { ...decided, needless: idle })
    expect(html).toMatch(/Accepted, and not found any more<[\s\S]+<td>no-redrive<\/td><td>gone<\/td>/)
    expect(html).toContain('it is so &lt;b&gt;')
    expect(html).not.toContain('it is so <b>')
  })

  it('tells what changed: parts, findings, terms', () => {
    const before = named(['worker'])
    expect(markdown(named(['worker'], before))).toContain('### What changed\n\nNothing.')
    const after = markdown(named(['other'], before))
    expect(after).toContain('- 2 nodes added: other-queue, other\n- 2 nodes removed: worker-queue, worker')
    expect(after).toContain('- 1 elements added: poll other-queue → other')
    expect(after).toMatch(/New findings:\n\n- \*\*high\*\* other/)
    expect(after).toMatch(/Mended:\n\n- ~~worker/)
    const more = comprehensive(
      loadedWith(
        meshFrom([node('queue', 'q'), functionNode('f', [servers(2)])], [element('poll', 'q', 'f')]),
        { q: 1.9 },
        { f: 1 },
      ),
      { before },
    )
    expect(markdown(more)).toContain('- utilisation: 71.43 % of what is allowed, now 135.7 %')
  })

  it('what is accepted since is not mended', () => {
    const before = named(['worker'])
    const [first] = before.findings
    const accepted = { rule: first?.rule ?? '', at: first?.name ?? '', because: 'so it is', where: 'here' }
    const after = named(['worker'], before, [accepted])
    expect(after.accepted).toHaveLength(1)
    expect(after.trend?.gone).toEqual([])
  })

  it('compares with a report that does not say which parts there were', () => {
    const before = named(['worker'])
    const { parts: _, ...counts } = before.mesh
    expect(markdown(named(['other'], { ...before, mesh: counts }))).not.toContain('nodes added')
  })

  it('tells many findings of a rule together, with where each is', () => {
    const text = markdown(named(['a', 'b', 'c', 'd', 'e', 'f']))
    expect(text).toContain('- 5 more of visibility-short: b-queue, c-queue, d-queue, e-queue, f-queue')
    expect(text.match(/\(visibility-short, /g)).toHaveLength(1)
    const few = markdown(named(['a', 'b', 'c']))
    expect(few.match(/\(visibility-short, /g)).toHaveLength(3)
  })

  it('tells both ends of what is not known of batches', () => {
    const mesh = meshFrom(
      [queueNode('q'), functionNode('f', [servers(2)])],
      [element('poll', 'q', 'f', { batch: 10, laws: [servers(2)] })],
    )
    const report = comprehensive(loadedWith(mesh, { q: 1 }, { f: 1 }))
    expect(report.static.stresses.some(({ least }) => least !== undefined)).toBe(true)
    const text = markdown(report)
    expect(text).toMatch(/\| q → f \| .+ \| 5 to 50 % \|/)
    expect(text).toMatch(/### In a surge to 10 times[\s\S]+\| q → f \| servers \|.+\| nothing waits \|/)
    const html = page(mesh, report)
    expect(html).toContain('<td>0.05 to 0.5</td>')
    expect(html).toContain('<td>nothing waits</td>')
  })

  it('of names that would be markup is text', () => {
    const text = markdown(named(['<script>alert(1)</script>|x', '@everyone']))
    expect(text).not.toMatch(/<(?!\/?(details|summary)>)/)
    expect(text).not.toContain('@everyone')
    for (const row of text.split('\n').filter((line) => line.startsWith('| ')))
      expect([7, 8]).toContain(row.split(/(?<!\\)\|/).length)
  })

  it('is no longer than GitHub takes, and says what it left out', () => {
    const many = named(Array.from({ length: 150 }, (_, index) => `worker-${'x'.repeat(40)}-${index}`))
    const text = markdown(many)
    expect(text.length).toBeLessThanOrEqual(65_536)
    expect(text).toMatch(/and \d+ more, in the JSON/)
    expect(text).toContain('Assumptions')
    const small = markdown(many, 2500)
    expect(small.length).toBeLessThanOrEqual(2500)
    expect(small).toMatch(/more, in the JSON|left out here/)
  })
})
