// An error that the user can act on: one sentence, printed without a stack.
export class Refusal extends Error {}

/**
 * Runs a program's main function. A refusal ends it with exit code 1 and its sentence.
 * @param {() => Promise<void> | void} main
 */
export async function runOrRefuse(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
}
