/**
 * A number of 53 bits that stands for a text where only its changes count: two texts share one by chance in 10^16. It is
 * no defence against somebody who looks for two such texts.
 */
export function digestOf(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    high = Math.imul(high ^ char, 0x9e3779b1);
    low = Math.imul(low ^ char, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (low >>> 0) * 0x200000 + (high >>> 11);
}
