import { describe, expect, it } from 'vitest';
import { decode } from '../../../bench/corpus/decode.mjs';
import { withoutLicenceHeader } from '../../../bench/corpus/licence-header.mjs';
import { normalise } from '../../../bench/corpus/normalise.mjs';

describe('decode', () => {
  it('reads UTF-8, and Latin-1 otherwise', () => {
    expect(decode(Buffer.from('naïve – text'))).toBe('naïve – text');
    expect(decode(Buffer.from([0x6e, 0x61, 0xef, 0x76, 0x65]))).toBe('naïve');
  });
});

describe('normalise', () => {
  it('gives lines one form', () => {
    expect(normalise('\r\nA title ¶\r\n\r\n\r\n\r\nText.\u00a0More \u0007\t\nEnd\ud800')).toBe(
      'A title\n\nText. More\nEnd\ufffd\n',
    );
  });
});

describe('withoutLicenceHeader', () => {
  it.each([
    ['/* Copyright 2020 X.\n * All rights. */\n\nint a;', 'int a;'],
    ['// Copyright 2009 The Authors.\n// License: BSD.\n\npackage a', 'package a'],
    ['#!/usr/bin/python\n# Licensed under MIT\nimport a', 'import a'],
    [
      ';;; a.el --- Does x.\n\n;; License: GPL\n\n;;; Commentary\n\n(a)',
      ';;; a.el --- Does x.\n\n;;; Commentary\n\n(a)',
    ],
    ['..\n   Copyright 2013\n\n   Licensed under X.\n\nTitle\n=====', 'Title\n====='],
    ['.. _license-label:\n.. image:: x\n\nTitle', '.. _license-label:\n.. image:: x\n\nTitle'],
    ['#include <license.h>\nint a;', '#include <license.h>\nint a;'],
    ['// What this module does.\nlet a;', '// What this module does.\nlet a;'],
    ['int a; /* Copyright */', 'int a; /* Copyright */'],
  ])('%j', (code, expected) => {
    expect(withoutLicenceHeader(code)).toBe(expected);
  });
});
