import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import { type Loaded, load } from '../../mesh/load.ts'
import { page as pageOf } from '../../mesh/report/page.ts'
import { most } from '../../mesh/report/view.ts'
import {
  apiNode,
  element,
  functionNode,
  invoke,
  loadedWith,
  meshFrom,
  node,
  queueNode,
  send,
  servers,
} from '../meshes.ts'
import { meshOfSize } from '../meshes-of-size.ts'
import { chromiumPath, howToGetIt, launched, opened } from './chromium.ts'

const hostile = '</script><img src=x onerror=alert(1)>'

/** One way with all colours: used by 20 %, 60 %, 90 %, 150 %; a store, dead letters, and a name that would be markup. */
const shop = (): Loaded => {
  const mesh = meshFrom(
    [
      apiNode('door'),
      functionNode('front', [servers(10, 'refuse')]),
      ...['a', 'b', 'c'].flatMap((name) => [queueNode(`${name}-queue`), functionNode(name, [servers(10)])]),
      node('table', 'books'),
      queueNode('letters', { deadLetters: true }),
      node('bus', hostile),
    ],
    [
      invoke('door', 'front'),
      ...['a', 'b', 'c'].flatMap((name) => [
        send('front', `${name}-queue`),
        element('poll', `${name}-queue`, name),
      ]),
      send('a', hostile, 0.01),
      send('c', 'a-queue', 0.001),
      element('call', 'b', 'books', { carries: false }),
      element('dead-letter', 'a-queue', 'letters'),
    ],
  )
  return loadedWith(mesh, { door: 10 }, { front: 0.2, a: 0.6, b: 0.9, c: 1.5 })
}

const htmlOf = (loaded: Loaded): string => pageOf(loaded.mesh, comprehensive(loaded))

if (chromiumPath === undefined)
  it(howToGetIt, ({ skip }) => {
    process.stderr.write(`${howToGetIt} The page of the mesh is not tested.\n`)
    skip(howToGetIt)
  })

describe.skipIf(chromiumPath === undefined)('the page of a mesh', () => {
  let browser: Browser
  const html = htmlOf(shop())
  beforeAll(async () => {
    browser = await launched(chromiumPath ?? '')
  })
  afterAll(() => browser?.close())

  it('asks for nothing, complains of nothing, and draws every node and element', async () => {
    const { page, asked, complaints } = await opened(browser, html)
    const { nodes, elements } = shop().mesh
    expect(await page.locator('svg.mesh .node').count()).toBe(nodes.length)
    expect(await page.locator('svg.mesh .element').count()).toBe(elements.length)
    expect(await page.locator('.words article').count()).toBe(nodes.length)
    expect({ asked, complaints }).toEqual({ asked: [], complaints: [] })
  })

  it('has names that would be markup as text', async () => {
    const { page, complaints } = await opened(browser, html)
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.locator('.words h3').allTextContents()).toContain(hostile)
    const index = shop().mesh.nodes.findIndex(({ name }) => name === hostile)
    await page.locator(`#n${index}`).click()
    expect(await page.locator('.panel h3').textContent()).toBe(hostile)
    expect(await page.locator('.panel img').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('colours by stress and draws by load', async () => {
    const { page } = await opened(browser, html)
    const { mesh } = shop()
    const place = (id: string) => mesh.nodes.findIndex((one) => one.id === id)
    const styleOf = (selector: string, property: string) =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${property}`)
    const strokes = await Promise.all(
      ['front', 'a', 'b', 'c', 'books'].map((id) => styleOf(`#n${place(id)} .box`, 'stroke')),
    )
    expect(new Set(strokes).size).toBe(5)
    const width = async (id: string) => {
      const index = mesh.elements.findIndex((one) => one.id === id)
      return Number.parseFloat(String(await styleOf(`#e${index} .line`, 'strokeWidth')))
    }
    expect(await width('invoke:door>front')).toBeGreaterThan(await width(`call:a>${hostile}`))
    expect(await width(`call:a>${hostile}`)).toBeGreaterThan(await width('dead-letter:a-queue>letters'))
  })

  it.each([400, 1280, 2560])(
    'at a width of %i has all of the picture in view, as large as it can be',
    async (width) => {
      const { mesh, loads } = meshOfSize(300)
      const { page } = await opened(browser, htmlOf(load(mesh, loads)), { viewport: { width, height: 900 } })
      const sides = () =>
        page.evaluate(`(() => {
        const [frame, svg] = ['.frame', 'svg.mesh'].map((each) => document.querySelector(each))
        const [room, { width, height }] = [frame.getBoundingClientRect(), svg.getBoundingClientRect()]
        const most = Math.min(0.82 * innerHeight, Math.max(innerHeight / 2, innerHeight - (room.top + scrollY) - 12))
        return {
          whole: frame.scrollWidth <= frame.clientWidth && frame.scrollHeight <= frame.clientHeight,
          filled: Math.max(width / room.width, height / most) > 0.95,
          wide: room.width / innerWidth > 0.9,
          fits: document.documentElement.scrollWidth <= innerWidth,
        }
      })()`)
      expect(await sides()).toEqual({ whole: true, filled: true, wide: true, fits: true })
      await page.locator('#larger').click()
      expect(await page.locator('#fit').getAttribute('aria-pressed')).toBe('false')
      await page.locator('#fit').click()
      expect(await sides()).toMatchObject({ whole: true, filled: true })
    },
  )

  it('is dark where the system is, and where the switch says so', async () => {
    const paper = 'getComputedStyle(document.body).backgroundColor'
    const light = await opened(browser, html, { colorScheme: 'light' })
    const dark = await opened(browser, html, { colorScheme: 'dark' })
    const [day, night] = [await light.page.evaluate(paper), await dark.page.evaluate(paper)]
    expect(day).not.toBe(night)
    await light.page.locator('#theme').click()
    expect(await light.page.evaluate(paper)).toBe(night)
    expect(await light.page.locator('#theme').getAttribute('aria-pressed')).toBe('true')
    await light.page.locator('#theme').click()
    expect(await light.page.evaluate(paper)).toBe(day)
  })

  it('leads from a finding to its node, and from there along the mesh by keys', async () => {
    const { page } = await opened(browser, html)
    const link = page.locator('.finding a', { hasText: /^c$/ }).first()
    await link.click()
    const id = await page.locator('.node.chosen').getAttribute('id')
    expect(await link.getAttribute('href')).toBe(`#${id}`)
    expect(await page.locator('.panel h3').textContent()).toBe('c')
    await page.keyboard.press('ArrowLeft')
    expect(await page.locator('.panel h3').textContent()).toBe('c-queue')
    expect(await page.evaluate('document.activeElement.id')).toBe(
      await page.locator('.chosen').getAttribute('id'),
    )
    await page.keyboard.press('Escape')
    expect(await page.locator('.panel').isHidden()).toBe(true)
    expect(await page.locator('.off').count()).toBe(0)
  })

  it('follows a way, fits on demand, and leaves out what is not asked for', async () => {
    const { page } = await opened(browser, html)
    await page.locator('#way').selectOption({ index: 1 })
    expect(await page.locator('.element.on').count()).toBeGreaterThan(1)
    expect(await page.locator('.node.off').count()).toBeGreaterThan(1)
    await page.locator('#way').selectOption({ index: 0 })
    const width = () => page.locator('svg.mesh').evaluate((svg) => svg.getBoundingClientRect().width)
    const fitted = await width()
    await page.locator('#fit').click()
    const natural = await page
      .locator('svg.mesh')
      .evaluate((svg) => svg.getAttribute('viewBox')?.split(' ')[2])
    expect(await width()).toBe(Number(natural))
    await page.locator('#fit').click()
    expect(await width()).toBe(fitted)
    await page.locator('input[data-part=dead]').uncheck()
    expect(await page.locator('.element.dead .line').first().isHidden()).toBe(true)
  })

  it('without JavaScript shows nothing that does nothing, and everything in words', async () => {
    const { page, complaints } = await opened(browser, html, { javaScriptEnabled: false })
    expect(await page.locator('button:visible, select:visible, [role=button]').count()).toBe(0)
    expect(await page.locator('.unscripted').isVisible()).toBe(true)
    const dead = page.locator('.element.dead .line').first()
    expect(await dead.isVisible()).toBe(true)
    await page.locator('input[data-part=dead]').uncheck()
    expect(await dead.isHidden()).toBe(true)
    await page.locator('.words summary').click()
    expect(await page.locator('.words article:visible').count()).toBe(shop().mesh.nodes.length)
    const scripted = await opened(browser, html)
    expect(await scripted.page.locator('.unscripted').isHidden()).toBe(true)
    expect(await scripted.page.locator('.node[role=button]').count()).toBe(shop().mesh.nodes.length)
    expect(complaints).toEqual([])
  })

  it('of a large mesh draws a part, says so, and leads to the words of the rest', async () => {
    const { mesh, loads } = meshOfSize(2000)
    const { page, complaints } = await opened(browser, htmlOf(load(mesh, loads)))
    const drawn = await page.locator('svg.mesh .node').count()
    expect(drawn).toBe(most.nodes)
    expect(await page.locator('.left-out').textContent()).toContain(
      `${mesh.nodes.length - drawn} of ${mesh.nodes.length} nodes`,
    )
    await page.locator('svg.mesh .node').first().focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('ArrowRight')
    expect(await page.locator('.panel h3').count()).toBe(1)
    // from what is drawn to what is not
    await page.locator('.words summary').click()
    const link = page.locator('.words a[href^="#w"]').first()
    const target = await link.getAttribute('href')
    await page.locator('.words summary').click()
    await page.evaluate(`location.hash = '${target}'`)
    expect(await page.locator(target ?? '').isVisible()).toBe(true)
    await page.locator('#way').selectOption({ index: 1 })
    expect(await page.locator('.element.on').count()).toBeGreaterThan(0)
    expect(complaints).toEqual([])
  })
})
