import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Framer } from '../../src/ovsdb-client/framing.ts';
import { ProtocolError } from '../../src/ovsdb-client/index.ts';

const LIMITS = { maxMessageBytes: 1000, maxDepth: 5 };

/** Pushes the chunks; the texts that came out. */
function frame(chunks: readonly Buffer[], limits = LIMITS): string[] {
  const texts: string[] = [];
  const framer = new Framer(limits, text => texts.push(text));
  for (const chunk of chunks) framer.push(chunk);
  return texts;
}

describe('framing', () => {
  const messages = ['{"a":"}{\\"\\\\"}', '{"ü€𝄞":[{"b":"\\u007d"},"]"]}', '{}', '{"c":{"d":[1,2]}}'];

  it('finds the same messages wherever the bytes are split', () => {
    const bytes = Buffer.from(messages.join(''));
    for (let at = 0; at <= bytes.length; at++) {
      expect(frame([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(messages);
    }
  });

  it('finds them byte by byte, and in any other pieces', () => {
    const bytes = Buffer.from(messages.join(' \n\r\t'));
    expect(frame([...bytes].map(byte => Buffer.of(byte)))).toEqual(messages);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), cuts => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        expect(frame(chunks)).toEqual(messages);
      }),
    );
  });

  it('finds arbitrary objects, with anything in their texts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))),
        fc.nat(),
        (objects, seed) => {
          const texts = objects.map(object => JSON.stringify(object));
          const bytes = Buffer.from(texts.join(''));
          const at = bytes.length === 0 ? 0 : seed % bytes.length;
          const limits = { maxMessageBytes: 1e6, maxDepth: 2 };
          expect(frame([bytes.subarray(0, at), bytes.subarray(at)], limits)).toEqual(texts);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not keep the bytes of the caller', () => {
    const chunk = Buffer.from('{"a":');
    const texts: string[] = [];
    const framer = new Framer(LIMITS, text => texts.push(text));
    framer.push(chunk);
    chunk.fill(0x20);
    framer.push(Buffer.from('1}'));
    expect(texts).toEqual(['{"a":1}']);
  });

  it('counts what it holds, and gives it back', () => {
    const framer = new Framer({ maxMessageBytes: 1e6, maxDepth: 5 }, () => {});
    framer.push(Buffer.from(`{"a":"${'x'.repeat(100_000)}`));
    expect(framer.pendingBytes).toBe(100_006);
    framer.push(Buffer.from('"}{'));
    expect(framer.pendingBytes).toBe(1);
  });

  it.each([
    ['a number', '17', 'must begin with "{", but the peer sent "17"'],
    ['a list', '[{}]', 'must begin with "{"'],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n', 'but the peer sent "HTTP/1.1 400 Bad Req"'],
    ['a stray brace', '{}}', 'must begin with "{"'],
    ['deep nesting', '{"a":[[[[[', 'nested deeper than 5 levels'],
    ['a giant', `{"a":"${'x'.repeat(1000)}`, 'longer than 1000 bytes'],
    ['a giant that is complete', `{"a":"${'x'.repeat(1000)}"}`, 'longer than 1000 bytes'],
  ])('refuses %s, whole and byte by byte', (_, text, message) => {
    const bytes = Buffer.from(text);
    expect(() => frame([bytes])).toThrow(message);
    expect(() => frame([bytes])).toThrow(ProtocolError);
    expect(() => frame([...bytes].map(byte => Buffer.of(byte)))).toThrow(ProtocolError);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => frame([Buffer.from('{"a":"\xff"}', 'latin1')])).toThrow('not valid UTF-8');
  });

  it('accepts messages up to the limits', () => {
    const longest = `{"a":"${'x'.repeat(1000 - 8)}"}`;
    expect(frame([Buffer.from(longest), Buffer.from('{"a":[[[[]]]]}')])).toEqual([longest, '{"a":[[[[]]]]}']);
  });

  it('hands out the messages before a bad one', () => {
    const texts: string[] = [];
    const framer = new Framer(LIMITS, text => texts.push(text));
    expect(() => framer.push(Buffer.from('{"a":1}{"b":2}x'))).toThrow(ProtocolError);
    expect(texts).toEqual(['{"a":1}', '{"b":2}']);
  });
});
