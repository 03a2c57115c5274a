import { beforeAll, describe, expect, it } from 'vitest';
import { compile, type Engine, fuse, type InputSpec, startEngine, tf, zeroVariable } from '../../src/engine/index.js';
import { ByteifyError } from '../../src/errors.js';
import { COMPILED } from '../support/modes.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const floats = (...shape: number[]): InputSpec => ({ shape, dtype: 'float32' });

describe('a traced tensor that is used after its trace', () => {
  function kept(): tf.Tensor {
    let out: tf.Tensor | undefined;
    const compiled = compile(
      (x) => {
        out = tf.keep(tf.add(x!, 1));
        return [out];
      },
      [floats(2)],
    );
    compiled.dispose();
    return out!;
  }

  it('is refused by eager operations, by reading and by other traces, and is not counted', () => {
    const before = engine.liveHandles();
    const tensor = kept();
    expect(() => tf.tidy(() => tf.add(tensor, 1))).toThrow(/traced tensor \[2\].*after its trace/);
    expect(() => tensor.dataSync()).toThrow(/traced tensor \[2\].*after its trace/);
    expect(() => compile((x) => [tf.add(x!, tensor)], [floats(2)])).toThrow(
      /traced tensor \[2\].*trace other than its own/,
    );
    tensor.dispose();
    expect(engine.liveHandles()).toBe(before);
  });

  it('is refused in a fused chain unless it is an input', () => {
    const body = (x: tf.Tensor) => {
      const outside = tf.mul(x, 3);
      return fuse('closes over a traced tensor', [x], (y) => [tf.add(y!, outside)]);
    };
    expect(() => compile((x) => body(x!), [floats(2)])).toThrow(/trace other than its own/);
  });
});

describe('a disposed variable', () => {
  it('is refused with a message, eagerly and in functions that captured it', async () => {
    const before = engine.liveHandles();
    const variable = zeroVariable([2]);
    const compiled = compile((x) => [tf.add(x!, variable.read())], [floats(2)]);
    variable.dispose();
    expect(() => variable.read()).toThrow(/after it was disposed/);
    expect(() => variable.dispose()).toThrow(ByteifyError);
    const x = tf.ones([2]);
    for (const mode of COMPILED) await expect(compiled.call([x], mode)).rejects.toThrow(/after it was disposed/);
    x.dispose();
    compiled.dispose();
    expect(engine.liveHandles()).toBe(before);
  });
});
