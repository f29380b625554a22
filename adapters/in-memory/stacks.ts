import type { Stacks } from '../../core/ports.ts'
import { copy } from './copy.ts'

export type InMemoryStacks = Stacks & {
  /** As if it had been deployed. */
  deploy(stack: string, template: unknown): void
}

/** Templates in this process. */
export function inMemoryStacks(): InMemoryStacks {
  const deployed = new Map<string, unknown>()
  return {
    template: async (stack) => copy(deployed.get(stack)),
    deploy: (stack, template) => void deployed.set(stack, copy(template)),
  }
}
