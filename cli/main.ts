import { execute } from './execute.ts'
import { processIo } from './io.ts'

process.exitCode = await execute(process.argv.slice(2), processIo())
