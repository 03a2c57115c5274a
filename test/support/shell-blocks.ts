/** The commands of a document: its ```sh blocks, and which of them a test may run. */

export interface ShellBlock {
  /** The first line of the block in the document, counted from 1. */
  readonly line: number;
  readonly commands: string;
  /** Why no test runs it, from the comment `<!-- not run: REASON -->` directly above; null if a test runs it. */
  readonly notRun: string | null;
}

const COMMENT = /^\s*<!-- not run: (.+) -->\s*$/;

/**
 * All shell blocks of a Markdown document, in order.
 * @throws Error for a comment that is not directly above a shell block, which must have been moved.
 */
export function shellBlocks(markdown: string): ShellBlock[] {
  const lines = markdown.split('\n');
  const blocks: ShellBlock[] = [];
  let reason: string | null = null;
  let fence: { readonly language: string; readonly from: number } | null = null;
  lines.forEach((line, at) => {
    const opened = /^```(\w*)/.exec(line);
    if (fence !== null) {
      if (!/^```\s*$/.test(line)) return;
      if (fence.language === 'sh') {
        const commands = lines.slice(fence.from, at).join('\n');
        blocks.push({ line: fence.from + 1, commands, notRun: reason });
        reason = null;
      }
      fence = null;
    } else if (opened !== null) {
      fence = { language: opened[1] ?? '', from: at + 1 };
      if (reason !== null && fence.language !== 'sh')
        throw new Error(`line ${at + 1}: "not run" is said of no shell block`);
    } else if (COMMENT.test(line)) {
      reason = COMMENT.exec(line)?.[1] ?? null;
    } else if (reason !== null && line.trim() !== '') {
      throw new Error(`line ${at + 1}: "not run" is said of no shell block`);
    }
  });
  return blocks;
}
