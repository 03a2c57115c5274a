/** Texts in which tokenizers differ. */
export const TEXTS: readonly string[] = [
  'The quick brown fox',
  ' a space before, two  between, three after   ',
  'tabs\tand\n\nlines\r\n',
  'def f(x):\n    return x ** 2  # 1234567 and 3.14',
  "I'll SAY: don't, won't, YOU'VE; it's",
  'Zażółć gęślą jaźń, 東京, שלום, ½ ² ٣',
  '🙂👩‍👩‍👧 e\u0301',
  '<s> is no token here, nor is </s>, <unk>, <0x41> or <|end|>',
  '\n 2\t3',
  '▁ is a character',
  'caf\u00e9',
  '日本語',
  'a\tb',
  'a\ufeffb \u0085 c\u00a0d',
  'word wordy word, sword; <l>  <r>  x <special>',
  '',
];
