import { beforeAll, describe, expect, it } from 'vitest';
import { bltTensors } from '../../src/blt/index.js';
import { startEngine, tf } from '../../src/engine/index.js';
import { globalTransformer, localDecoder, localEncoder } from '../../src/model/blt.js';
import { type BltBatch, type BltModel, openBlt, type Params } from '../../src/model/index.js';
import { blockContext } from '../../src/model/transformer.js';
import { goldenPath, plainCases, projectionCases } from '../support/golden.js';
import { type GoldenBatch, goldenBatch, paramsOf } from '../support/golden-batch.js';
import { everyWay, expectAlike, numbers, withGradients } from '../support/modes.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

describe.each([
  { name: 'plain/blt', texts: plainCases.slice(0, 2).map(({ input_ids }) => input_ids.slice(0, 24)) },
  { name: 'projection-gqa', texts: projectionCases.slice(1, 4).map(({ ids }) => ids) },
])('the parts of the golden model $name, with padding', ({ name, texts }) => {
  let model: BltModel;
  let golden: GoldenBatch;
  beforeAll(async () => {
    model = await openBlt(goldenPath(name));
    golden = goldenBatch(model, texts);
  });

  /** Compares the result and the gradients, of some inputs and of the parameters with these prefixes, in every run mode. */
  async function check(
    prefixes: readonly string[],
    moved: readonly tf.Tensor[],
    f: (params: Params, moved: readonly tf.Tensor[], batch: BltBatch) => tf.Tensor,
  ): Promise<void> {
    const names = bltTensors(model.config).flatMap((spec) =>
      prefixes.some((prefix) => spec.name.startsWith(prefix)) ? [spec.name] : [],
    );
    const params = names.map((name) => model.params.get(name)!);
    const count = names.length + moved.length;
    const body = withGradients(
      (...all) => f(paramsOf(names, all), all.slice(names.length, count), golden.inputs.batchOf(all.slice(count))),
      count,
    );
    const found = await everyWay(body, [...params, ...moved, ...golden.inputs.tensors]);
    expect(found.eager.length).toBe(1 + count);
    expectAlike(found, 1e-4, 1e-3);
    tf.dispose([...moved]);
  }

  it('the local encoder is the same in every run mode', () =>
    check(['model.encoder_hash', 'model.local_encoder.'], [], (params, _none, batch) => {
      const { bytes, patches } = localEncoder(params, model.config, batch, blockContext(model.config.encoder, batch));
      return tf.concat([tf.reshape(bytes, [-1]), tf.reshape(patches, [-1])]);
    }));

  it('the global transformer is the same in every run mode', () => {
    const { rows, patches } = golden.batch;
    const width = model.config.crossAttnK * model.config.encoder.hiddenSize;
    return check(['model.global_transformer.'], [numbers([rows * patches, width], 5)], (params, [x], batch) => {
      const shape = { rows, length: patches, documents: batch.patchDocuments };
      return globalTransformer(params, x!, blockContext(model.config.global, shape));
    });
  });

  it('the local decoder is the same in every run mode', () => {
    const { rows, length, patches } = golden.batch;
    const { decoder, global } = model.config;
    const moved = [numbers([rows * length, decoder.hiddenSize], 5), numbers([rows * patches, global.hiddenSize], 6)];
    return check(['model.local_decoder.'], moved, (params, [bytes, latent], batch) => {
      const inputs = { bytes: bytes!, patches: latent! };
      return localDecoder(params, model.config, batch, blockContext(decoder, batch), inputs);
    });
  });
});
