/** WCAG 2.2's contrast of colours, computed in a page: code for `page.evaluate`. */

/** Defines `contrast(colour, colour)` for the expression that follows it. */
const CONTRAST = `
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };`;

/** An expression in which `contrast` is known. @param body statements that return a value */
export const withContrast = (body: string): string => `(() => {${CONTRAST}
  ${body}
})()`;
