import { expect, it } from 'vitest';
import { withoutFurniture } from '../../../bench/corpus/furniture.mjs';

it('removes the lines that many documents begin and end with', () => {
  const page = (i: number) => `Home\nMenu\n\nTitle ${i}\n\nText ${i}.\nExamples\nMore ${i}.\n\n© The authors\n`;
  const pages = Array.from({ length: 20 }, (_, i) => page(i));
  expect(withoutFurniture(pages)[3]).toBe('Title 3\n\nText 3.\nExamples\nMore 3.\n');
});

it('leaves few documents and different edges alone', () => {
  expect(withoutFurniture(['Home\n\nA.\n', 'Home\n\nB.\n'])).toEqual(['Home\n\nA.\n', 'Home\n\nB.\n']);
});
