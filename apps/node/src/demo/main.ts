import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { Interruption } from '../interruption.ts';
import { messageOf } from './demo-error.ts';
import { Demo, type DemoFlags, REVIVE_AFTER_SECONDS } from './demo.ts';

const ABOUT_LOOPBACK =
  'This system has no loopback addresses but 127.0.0.1. Add those of the demo; on macOS, for each of them: sudo ifconfig lo0 alias 127.11.0.1';

function createDemo(run: (flags: DemoFlags) => Promise<void>): Command {
  return new Command('demo')
    .description(
      'Starts nodes A to H as processes on different loopback networks, and has A send a file to D through relays, and to E through a circuit.',
    )
    .option('--file <path>', 'the file to send (default: random bytes)')
    .option('--size <MiB>', 'size of the random file', mebibytes, 64)
    .option('--stay', 'then keep the network alive, with a dashboard to watch it on and to kill relays')
    .option('--port <port>', 'with --stay: of the dashboard, on 127.0.0.1 (default: any free one)', port)
    .option('--revive-after <seconds>', `with --stay: how long a killed relay is down (default: ${REVIVE_AFTER_SECONDS})`, seconds)
    .option(
      '--json',
      'one JSON object with the result on standard output, with --stay a second one with the dashboard; the rest goes to standard error',
    )
    .option('--verbose', 'show everything the nodes tell')
    .exitOverride()
    .addHelpText('after', '\nExamples:\n  $ pnpm demo --file photo.jpg\n  $ pnpm demo --stay')
    .action((flags: DemoFlags, command: Command) => {
      if (flags.stay !== true && (flags.port !== undefined || flags.reviveAfter !== undefined))
        command.error('error: --port and --revive-after go with --stay', { exitCode: 2 });
      return run(flags);
    });
}

function port(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) throw new InvalidArgumentError('Expected a port, 0 to 65535.');
  return Number(value);
}

function seconds(value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value) || Number(value) > 3600) throw new InvalidArgumentError('Expected seconds, 0 to 3600.');
  return Number(value);
}

function mebibytes(value: string): number {
  const size = Number(value);
  if (!(size > 0 && size <= 65_536)) throw new InvalidArgumentError('Expected a number of MiB, up to 65536.');
  return size;
}

async function main(flags: DemoFlags): Promise<void> {
  using interruption = new Interruption(false);
  const demo = new Demo(flags, interruption.signal);
  const interrupted = interruption.wait().then(() => 'interrupted' as const);
  const running = demo.run(() => interruption.stop());
  try {
    if ((await Promise.race([running, interrupted])) !== 'interrupted') return;
    if (demo.staying) {
      await Promise.all([running, demo.stop()]);
      return;
    }
    running.catch(() => {});
    process.exitCode = interruption.exitCode;
    process.stderr.write('\ndemo: interrupted\n');
  } finally {
    await demo.stop();
    if (demo.staying) process.stderr.write('\ndemo: everything has ended\n');
  }
}

try {
  await createDemo(main).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const message = messageOf(error);
    process.stderr.write(`\ndemo: ${message}\n${message.includes('EADDRNOTAVAIL') ? `${ABOUT_LOOPBACK}\n` : ''}`);
    process.exitCode = 1;
  }
}
