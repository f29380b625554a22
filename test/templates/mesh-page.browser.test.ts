import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import { load } from '../../mesh/load.ts'
import { page as pageOf } from '../../mesh/report/page.ts'
import { chromiumPath, launched, opened } from '../browser/chromium.ts'
import { assembled } from './synthesize.ts'

// test/browser says so when there is no Chromium
describe.skipIf(chromiumPath === undefined)('the page of our own app', () => {
  let browser: Browser
  const mesh =
    chromiumPath === undefined
      ? undefined
      : assembled({ stage: 'local' }, (folder) => meshOf(readAssembly(folder)))
  const html = mesh === undefined ? '' : pageOf(mesh, comprehensive(load(mesh)))
  beforeAll(async () => {
    browser = await launched(chromiumPath ?? '')
  })
  afterAll(() => browser?.close())

  it.each([390, 1280])(
    'can be read in its natural size at %d pixels, and the page is as wide as the screen',
    async (width) => {
      const { page, asked, complaints } = await opened(browser, html, {
        viewport: { width, height: 800 },
      })
      expect(await page.locator('svg.mesh .node').count()).toBe(mesh?.nodes.length)
      // it opens as a whole
      await page.locator('#fit').click()
      const smallest = await page.evaluate(`(() => {
      const svg = document.querySelector('svg.mesh');
      const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
      const sizes = [...svg.querySelectorAll('text')].map((text) => parseFloat(getComputedStyle(text).fontSize));
      return Math.min(...sizes) * scale;
    })()`)
      expect(smallest).toBeGreaterThanOrEqual(9)
      // the frame scrolls, the page does not
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
      expect({ asked, complaints }).toEqual({ asked: [], complaints: [] })
    },
    120_000,
  )
})
