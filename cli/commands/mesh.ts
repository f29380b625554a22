import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { examples } from '../options.ts'

export function mesh(program: Command, cli: Cli): void {
  const group = program
    .command('mesh')
    .description('the structure that carries the load, analysed before it is deployed')
    .addHelpText('after', examples('mesh static --network network.json', 'mesh fracture --graph graph.json'))

  group
    .command('static')
    .description('the steady state: what comes where, how busy everything is, how long things take')
    .requiredOption('--network <file>', 'a bare network of stations, without any template (docs/mesh.md)')
    .addHelpText(
      'after',
      examples('mesh static --network network.json', 'mesh static --network network.json --json'),
    )
    .action(async (given: { network: string }) => {
      const { showNetwork } = await import('../mesh/bare.ts')
      showNetwork(cli, given.network)
    })

  group
    .command('fracture')
    .description('what breaks when something breaks: single points of failure, reliability')
    .requiredOption('--graph <file>', 'a bare graph, without any template (docs/mesh.md)')
    .addHelpText(
      'after',
      examples('mesh fracture --graph graph.json', 'mesh fracture --graph graph.json --json'),
    )
    .action(async (given: { graph: string }) => {
      const { showGraph } = await import('../mesh/bare.ts')
      showGraph(cli, given.graph)
    })
}
