import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type App, Tags } from 'aws-cdk-lib'
import { eventTypes } from '../events/catalogue.ts'
import { findFaults } from '../events/checks.ts'
import type { Route } from '../events/route.ts'
import { routes as declaredRoutes, producers } from '../events/routes.ts'
import { AppStack } from './app-stack.ts'
import { functionsFolder, machinesFolder } from './bundle.ts'
import { stageOf } from './stages.ts'
import { StateStack } from './state-stack.ts'

/** Subscribers that the routes name and nobody wrote. */
export const missingSubscribers = (
  wanted: readonly Route[],
  exists: (path: string) => boolean = existsSync,
): string[] =>
  wanted.flatMap(({ subscriber, kind }) => {
    const path =
      kind === 'function'
        ? join(functionsFolder, subscriber, 'handler.ts')
        : join(machinesFolder, `${subscriber}.asl.json`)
    return exists(path) ? [] : [`route ${subscriber}: there is no ${path}: write it or remove the route`]
  })

/**
 * Puts the stacks of the stage into the app. `code` holds one folder per function.
 * @throws with every fault, when the routes or the parameters are wrong
 */
export function addStacks(
  app: App,
  code: string,
  routes: readonly Route[] = declaredRoutes,
): { state: StateStack; backbone: AppStack } {
  const faults = [...findFaults(eventTypes, routes, producers), ...missingSubscribers(routes)]
  if (faults.length > 0) throw new Error(`events/ cannot be deployed:\n- ${faults.join('\n- ')}`)
  const stage = stageOf(app)
  const state = new StateStack(app, `Loadpath-${stage.name}-State`, { stage })
  const backbone = new AppStack(app, `Loadpath-${stage.name}-App`, {
    ...{ stage, code, routes },
    state: state.stackName,
  })
  backbone.addStackDependency(state, 'it reads the parameters that the state stack writes')
  Tags.of(app).add('loadpath:stage', stage.name)
  return { state, backbone }
}
