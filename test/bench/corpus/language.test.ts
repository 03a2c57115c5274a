import { describe, expect, it } from 'vitest';
import { frequentWordRate } from '../../../bench/corpus/language.mjs';

describe('frequentWordRate', () => {
  it.each([
    'The kernel keeps a list of all the pages that were read from this file, and it writes them back when they are needed.',
    'It was a bright cold day in the garden, and for once there was nothing at all that she had to do by the evening.',
  ])('is high for English: %s', (text) => {
    expect(frequentWordRate(text)).toBeGreaterThan(0.4);
  });

  it.each([
    [
      'German',
      'Der Kern führt eine Liste aller Seiten, die aus dieser Datei gelesen wurden, und schreibt sie bei Bedarf zurück.',
    ],
    [
      'French',
      'Le noyau tient une liste de toutes les pages lues depuis ce fichier et les écrit de nouveau quand il le faut.',
    ],
    [
      'Spanish',
      'El núcleo mantiene una lista de todas las páginas leídas de este archivo y las escribe cuando es necesario.',
    ],
    ['Russian', 'Ядро хранит список всех страниц, прочитанных из этого файла, и записывает их обратно.'],
    [
      'names only',
      'QAbstractItemModel QAbstractListModel QAbstractTableModel QAction QActionGroup QApplication QBuffer',
    ],
    ['nothing', ''],
  ])('is low for %s', (_, text) => {
    expect(frequentWordRate(text)).toBeLessThan(0.15);
  });
});
