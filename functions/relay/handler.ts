import { environment } from '../../adapters/environment.ts'
import { plainMemoryPort, recordPorts } from '../../adapters/lambda/ports.ts'
import { relayStream } from '../../adapters/lambda/relay.ts'

const { STAGE } = environment(['STAGE'])

/** What commands and handlers of effect state have committed to tell -> the gate. */
export const handler = relayStream({ ...recordPorts(), memory: plainMemoryPort(), stage: STAGE })
