import { ProcessGroup } from '../src/processes/process-group.ts';

// Keeps a program, says which, and stays.
const group = new ProcessGroup('test');
const keeper = group.startKeeper();
await keeper.call('start', { name: 'sleeper', file: 'sh', args: ['-c', 'sleep 1000 & echo $! && wait'] });
process.stdout.write(`${keeper.pid} ${await keeper.call('folder')}\n`);
process.on('SIGINT', () => process.exit(1));
