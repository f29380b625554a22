import type { StageConfig } from '../adapters/stage-config.ts'

/**
 * Base address of a stage's HTTP API. An endpoint on this machine gives addresses that no name service knows, and
 * serves them under a path of its own; the `$` of the stage is written so that no shell takes it for a variable.
 */
export const apiAddress = (
  config: Pick<StageConfig, 'api' | 'apiId'>,
  endpoint: string | undefined,
): string =>
  endpoint === undefined
    ? config.api
    : `${endpoint.replace(/\/+$/, '')}/_aws/execute-api/${config.apiId}/%24default`
