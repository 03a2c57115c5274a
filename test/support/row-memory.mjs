// Prints by how many bytes the process grows when it writes 1,000 rows, far apart, of a variable of zeros of a gigabyte.
import { startEngine, tf, zeroVariable } from '../../dist/engine/index.js';

const [ROWS, WIDTH, WRITTEN] = [2 ** 18, 1024, 1000];

function write(variable, rows) {
  tf.tidy(() => variable.scatterRows(tf.tensor1d(rows, 'int32'), tf.ones([rows.length, WIDTH])));
}

await startEngine({ threads: 2 });
// Memory that the engine allocates once does not count.
const first = zeroVariable([WRITTEN, WIDTH]);
write(first, [0]);
const before = process.memoryUsage.rss();
const variable = zeroVariable([ROWS, WIDTH]);
write(
  variable,
  Array.from({ length: WRITTEN }, (_, i) => i * 262),
);
console.log(process.memoryUsage.rss() - before);
process.exit(0);
