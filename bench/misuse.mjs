/** Ends the program with code 2. @param {string} message */
export function misuse(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(2);
}
