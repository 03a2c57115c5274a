// Runs the tests' loopback hub in a process of its own, controlled over IPC: { options } starts it, with patterns as text, and { ask: 'log'
// } requests its log. bench/hub/loopback.mjs starts this process with the path of the compiled hub.
import { pathToFileURL } from 'node:url';

const { startHub } = await import(pathToFileURL(process.argv[2]).href);
let hub = null;

process.on('message', async (/** @type {{ ask?: 'log', options?: any }} */ message) => {
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
