/** @module The server's metrics, in Prometheus's text format. */
import type { GeneratorState } from '../generate/index.js';

export interface Metrics {
  countRequest(route: string, status: number): void;
  /** Counts a client that did not read its stream. */
  countSlowClient(): void;
  render(state: GeneratorState): string;
}

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** A value by its labels. */
  readonly values: ReadonlyMap<string, number>;
}

const one = (value: number): ReadonlyMap<string, number> => new Map([['', value]]);

const lines = ({ name, type, help, values }: Metric): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...[...values].map(([labels, value]) => `${name}${labels} ${value}`),
    '',
  ].join('\n');

export function createMetrics(): Metrics {
  const requests = new Map<string, number>();
  let slowClients = 0;
  const began = Date.now() / 1000;
  return {
    countRequest(route, status) {
      const labels = `{route="${route}",status="${status}"}`;
      requests.set(labels, (requests.get(labels) ?? 0) + 1);
    },
    countSlowClient() {
      slowClients++;
    },
    render({ slots, running, waiting, promptBytes, writtenBytes }) {
      const counter = (name: string, help: string, values: Metric['values']): Metric => ({
        name: `byteify_${name}_total`,
        type: 'counter',
        help,
        values,
      });
      const gauge = (name: string, help: string, value: number): Metric => ({
        name,
        type: 'gauge',
        help,
        values: one(value),
      });
      return [
        counter('http_requests', 'Requests answered; status 499 if the client disconnected first.', requests),
        counter('slow_clients', 'Streams dropped because the client did not read them.', one(slowClients)),
        counter('written_bytes', 'Bytes generated.', one(writtenBytes)),
        counter('prompt_bytes', 'Bytes of prompts read, BOS included.', one(promptBytes)),
        gauge('byteify_slots', 'Texts that can be generated at the same time.', slots),
        gauge('byteify_texts_running', 'Texts being generated.', running),
        gauge('byteify_texts_waiting', 'Texts waiting for a slot.', waiting),
        gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
        gauge('process_start_time_seconds', 'Start time of the server, in seconds since 1970.', began),
      ]
        .map(lines)
        .join('');
    },
  };
}
