/** `npm run lab -- …`. */

try {
  // Imported here, so that settings which make no lab are one line and no stack.
  const { program } = await import('./program.ts');
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // At once: what was begun beside the part that failed would go on for minutes.
  process.exit(1);
}
