import { expect, it } from 'vitest'
import { reference } from './reference.ts'

it('docs/cli.md is what the commands say; `npx vitest run cli/reference -u` writes it anew', async () => {
  await expect(reference()).toMatchFileSnapshot('../docs/cli.md')
})

it('names every command and both kinds of argument', () => {
  const page = reference()
  expect(page).toContain('`loadpath events put [file] [--type <type>]')
  expect(page).toContain('`loadpath keys create <name> --scope <scope...>')
  expect(page).not.toContain('undefined')
})
