// Runs one check in this process and prints one line of JSON: its results, or { "error" } with a message. Run: node run-check.mjs NAME
// OPTIONS
const [name, options] = process.argv.slice(2);
const { check } = await import(`./checks/${name}.mjs`);
const answer = await check(JSON.parse(options ?? '{}')).catch((error) => ({ error: error?.message ?? String(error) }));
console.log(JSON.stringify(answer));
