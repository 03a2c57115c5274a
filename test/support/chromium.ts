/** A headless Chromium: the one in a development dependency, or the machine's own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

export interface OpenBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The package unpacks it for x86-64 Linux into the folder for temporary files. */
async function packaged(): Promise<string> {
  const { default: carried } = await import('@sparticuz/chromium');
  return await carried.executablePath();
}

function installed(name: string): string {
  return execFileSync('which', [name], { encoding: 'utf8' }).trim();
}

/** @returns the reason if none starts */
export async function openBrowser(): Promise<OpenBrowser | string> {
  const reasons: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'byteify-chromium-'));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  const forget = () => rmSync(folder, { recursive: true, force: true });
  try {
    for (const find of [packaged, ...NAMES.map((name) => async () => installed(name))]) {
      try {
        const browser = await chromium.launch({ executablePath: await find(), args: ['--no-sandbox'] });
        return { browser, close: () => browser.close().finally(forget) };
      } catch (error) {
        reasons.push(String(error).split('\n', 1)[0]!);
      }
    }
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  forget();
  return reasons.join('; ');
}
