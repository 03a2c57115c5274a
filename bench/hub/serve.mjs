// The tests' loopback hub in a process of its own. Over IPC: it is told its options (patterns as text) and answers with its address; asked for its
// log, it gives what went out, by request.
// Run by bench/hub.mjs with the folder of the compiled hub.
import { pathToFileURL } from 'node:url';

const { startHub } = await import(pathToFileURL(process.argv[2]).href);
let hub = null;

process.on('message', async (message) => {
  if (message.ask === 'log') {
    process.send({ requests: hub.requests });
    return;
  }
  const faults = (message.options.faults ?? []).map(({ on, ...fault }) => ({
    ...fault,
    on: new RegExp(on),
    times: fault.times ?? 1,
  }));
  hub = await startHub({ ...message.options, faults });
  process.send({ url: hub.url });
});
process.on('disconnect', () => process.exit());
