import { type Command, Option } from 'commander'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import type { ComprehensiveOptions, DynamicOptions, OutageOptions } from '../mesh/analyses.ts'
import type { AppOptions } from '../mesh/app.ts'
import type { RatesOptions } from '../mesh/rates.ts'
import { above0, duration, examples, instant, positive, requireWindow, upToHundred } from '../options.ts'

/** `--app`, `--rates` and `--region`, the same for every analysis. A model has no rates but those it is given: who mends a file looks there. */
const ofApp = (command: Command, otherwise = 'default: mesh.yaml where there is one'): Command =>
  command
    .option('--app <folder...>', 'synthesized apps, or one template; default: cdk.out')
    .option('--rates <file>', `what comes, how long things take, who sends what (docs/mesh.md); ${otherwise}`)
    .option(
      '--region <region>',
      'where stacks go whose template names no region; default: the least limits of all regions',
    )

type EitherOptions = AppOptions & OutageOptions

/** Of an app, or of a file of another kind that stands for itself. */
const ofEither =
  (
    option: 'network' | 'graph',
    showApp: (options: EitherOptions) => Promise<void>,
    showFile: (file: string) => Promise<void>,
  ) =>
  async ({ [option]: file, ...options }: EitherOptions & { network?: string; graph?: string }) => {
    if (file === undefined) return showApp(options)
    if (Object.keys(options).length > 0)
      throw new UsageError(`--${option} is analysed by itself: leave out every other option`)
    return showFile(file)
  }

const outage = (): Option =>
  new Option('--outage <span>', 'how long an outage lasts; default: 10m').argParser(duration)
const seed = (): Option =>
  new Option('--seed <n>', 'of what is drawn by chance; default: 1').argParser(positive)

export function mesh(program: Command, cli: Cli): void {
  const group = program
    .command('mesh')
    .description('the structure that carries the load, analysed before it is deployed')
    .addHelpText(
      'after',
      examples('mesh static --app cdk.out --rates rates.yaml', 'mesh static --network network.json'),
    )

  ofApp(group.command('model'), 'default: none')
    .description('the mesh of an app: what holds, handles and carries messages, and what limits it')
    .addHelpText('after', examples('mesh model', 'mesh model --app cdk.out --json'))
    .action(async (options: AppOptions) => {
      const { showModel } = await import('../mesh/model.ts')
      showModel(cli, options)
    })

  ofApp(group.command('static'))
    .description('the steady state: what comes where, how busy everything is, how long things take')
    .option('--network <file>', 'a bare network of stations, without any template (docs/mesh.md)')
    .addHelpText(
      'after',
      examples('mesh static --app cdk.out --rates rates.yaml', 'mesh static --network network.json --json'),
    )
    .action(
      ofEither(
        'network',
        async (options) => (await import('../mesh/static.ts')).showStatic(cli, options),
        async (file) => (await import('../mesh/bare.ts')).showNetwork(cli, file),
      ),
    )

  group
    .command('rates')
    .description(
      'a file of rates from what was measured: the history by the API, and how long functions took by their logs',
    )
    .option('--since <time>', 'recorded at this time or later (default: an hour ago)', instant(cli.io.now))
    .option('--until <time>', 'recorded before this time', instant(cli.io.now))
    .option('--out <file>', 'where to write it; else it is printed')
    .option('--cloudwatch', 'how long functions took by the metrics of an account instead of its logs')
    .option('--region <region>', "of these metrics; default: the stage's")
    .addHelpText(
      'after',
      examples(
        'mesh rates --since 1h --out rates.yaml',
        'mesh rates --since 24h --cloudwatch --out rates.yaml',
      ),
    )
    .action(async (options: RatesOptions) => {
      requireWindow(options)
      if (options.region !== undefined && !options.cloudwatch)
        throw new UsageError('--region is that of the metrics: give --cloudwatch too')
      const { showRates } = await import('../mesh/rates.ts')
      await showRates(cli, options)
    })

  ofApp(group.command('dynamic'))
    .description('a surge: backlogs, how old they get, what is throttled, how long until all is drained')
    .addOption(
      new Option('--shape <shape>', 'of the surge').choices(['step', 'burst', 'ramp']).default('ramp'),
    )
    .addOption(new Option('--factor <n>', 'how many times the load').argParser(above0).default(10))
    .addOption(
      new Option('--hold <span>', 'how long it stays; default: 10m, of a burst 30s').argParser(duration),
    )
    .addOption(
      new Option('--rise <span>', 'how long a ramp takes to get there; default: 2m').argParser(duration),
    )
    .option('--type <type...>', 'event types that come more; default: all')
    .addOption(seed())
    .addHelpText(
      'after',
      examples('mesh dynamic --rates rates.yaml', 'mesh dynamic --shape step --factor 3 --hold 5m'),
    )
    .action(async (options: DynamicOptions) => {
      const { showDynamic } = await import('../mesh/analyses.ts')
      showDynamic(cli, options)
    })

  ofApp(group.command('nonlinear'))
    .description(
      'retries that feed on themselves: where a trigger sticks, at which load, what would take it away',
    )
    .addHelpText(
      'after',
      examples('mesh nonlinear --rates rates.yaml', 'mesh nonlinear --rates rates.yaml --json'),
    )
    .action(async (options: AppOptions) => {
      const { showNonlinear } = await import('../mesh/analyses.ts')
      showNonlinear(cli, options)
    })

  ofApp(group.command('fracture'))
    .description(
      'what breaks when something breaks: single points of failure, what is lost, how long it takes to recover',
    )
    .option('--graph <file>', 'a bare graph, without any template (docs/mesh.md)')
    .addOption(outage())
    .addOption(seed())
    .addHelpText(
      'after',
      examples('mesh fracture --rates rates.yaml', 'mesh fracture --graph graph.json --json'),
    )
    .action(
      ofEither(
        'graph',
        async (options) => (await import('../mesh/analyses.ts')).showFracture(cli, options),
        async (file) => (await import('../mesh/bare.ts')).showGraph(cli, file),
      ),
    )

  ofApp(group.command('comprehensive'))
    .description('all of them, findings and a score; with --threshold for CI')
    .option('--html <file>', 'a page with everything and a picture, which needs no network')
    .option('--markdown <file>', 'what a pull request needs of it, as a comment that GitHub takes')
    .option('--before <file>', 'an earlier report (--json) to compare with, which has to be there')
    .addOption(outage())
    .addOption(seed())
    .addOption(new Option('--threshold <score>', 'exit code 1 below it: 0 to 100').argParser(upToHundred))
    .addHelpText(
      'after',
      examples(
        'mesh comprehensive --rates rates.yaml --html mesh.html',
        'mesh comprehensive --before main.json --markdown comment.md',
        'mesh comprehensive --rates rates.yaml --threshold 70 --json',
      ),
    )
    .action(async (options: ComprehensiveOptions) => {
      const { showComprehensive } = await import('../mesh/analyses.ts')
      showComprehensive(cli, options)
    })

  group
    .command('validate')
    .description('analyse what is deployed, now and not on Monday, and tell of it by mesh.validated')
    .addHelpText('after', examples('mesh validate', 'mesh validate --stage prod --json'))
    .action(async () => {
      const { validate } = await import('../mesh/validate.ts')
      await validate(cli)
    })
}
