import { expect, it } from 'vitest';
import { fileVersionRecord, maskedCrc } from '../../../src/finetune/loop/tfevents.js';

it('event records have the length prefix and masked CRC-32C of TensorFlow’s record format', () => {
  // The CRC-32C of "123456789" is e3069283 (RFC 3720, appendix B.4); the mask is that of record_writer.cc.
  expect(maskedCrc(new TextEncoder().encode('123456789'))).toBe(
    (((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0,
  );
  const record = fileVersionRecord(1);
  expect(new DataView(record.buffer).getBigUint64(0, true)).toBe(BigInt(record.length - 16));
});
