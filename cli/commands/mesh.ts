import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import type { AppOptions } from '../mesh/app.ts'
import { examples } from '../options.ts'

/** `--app` and `--rates`, the same for every analysis. */
const ofApp = (command: Command): Command =>
  command
    .option('--app <folder...>', 'synthesized apps, or one template; default: cdk.out')
    .option(
      '--rates <file>',
      'what comes, how long things take, who sends what (docs/mesh.md); default: mesh.yaml where there is one',
    )

export function mesh(program: Command, cli: Cli): void {
  const group = program
    .command('mesh')
    .description('the structure that carries the load, analysed before it is deployed')
    .addHelpText(
      'after',
      examples('mesh static --app cdk.out --rates rates.yaml', 'mesh static --network network.json'),
    )

  ofApp(group.command('model'))
    .description('the mesh of an app: what holds, handles and carries messages, and what limits it')
    .addHelpText('after', examples('mesh model', 'mesh model --app cdk.out --json'))
    .action(async (options: AppOptions) => {
      const { showModel } = await import('../mesh/static.ts')
      showModel(cli, options)
    })

  ofApp(group.command('static'))
    .description('the steady state: what comes where, how busy everything is, how long things take')
    .option('--network <file>', 'a bare network of stations, without any template (docs/mesh.md)')
    .addHelpText(
      'after',
      examples('mesh static --app cdk.out --rates rates.yaml', 'mesh static --network network.json --json'),
    )
    .action(async ({ network, ...options }: AppOptions & { network?: string }) => {
      if (network === undefined) {
        const { showStatic } = await import('../mesh/static.ts')
        return showStatic(cli, options)
      }
      if (options.app ?? options.rates)
        throw new UsageError('--network is analysed by itself: leave out --app and --rates')
      const { showNetwork } = await import('../mesh/bare.ts')
      return showNetwork(cli, network)
    })

  group
    .command('fracture')
    .description('what breaks when something breaks: single points of failure, reliability')
    .requiredOption('--graph <file>', 'a bare graph, without any template (docs/mesh.md)')
    .addHelpText(
      'after',
      examples('mesh fracture --graph graph.json', 'mesh fracture --graph graph.json --json'),
    )
    .action(async ({ graph }: { graph: string }) => {
      const { showGraph } = await import('../mesh/bare.ts')
      showGraph(cli, graph)
    })
}
