import { FieldError } from './raw.ts';

/**
 * Addresses or subnets as Kubernetes gives them, IPv4 first. Throws {@link FieldError} where there are two of one family;
 * `from` is the field, `what` the word for them.
 */
export function oneOfEachFamily<T extends { readonly family: 4 | 6 }>(
  from: string,
  what: 'address' | 'subnet',
  given: readonly T[],
): readonly T[] {
  for (const family of [4, 6]) {
    if (given.filter(one => one.family === family).length > 1)
      throw new FieldError(`${from}: more than one IPv${family} ${what}; give one of each family`);
  }
  return [...given].sort((a, b) => a.family - b.family);
}
