// Adds up vitest's JSON reports and prints the counts on one line. Fails if no test passed.
import { readFileSync } from 'node:fs';

const count = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  count.passed += report.numPassedTests;
  // A file that does not load reports no tests; it counts as one failure.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  count.failed += report.numFailedTests + broken.length;
  count.skipped += report.numPendingTests + report.numTodoTests;
}
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed > 0 || count.passed === 0 ? 1 : 0);
