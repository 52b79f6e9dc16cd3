/** One line of a table: a name and its columns. */
export function row(name: string, ...values: readonly (string | number)[]): string {
  return `  ${name.padEnd(44)}${values.map(value => String(value).padStart(14)).join('')}`;
}

/** Whether a bound is kept, in words. */
export function verdict(value: number, bound: number): string {
  return value <= bound ? `at most ${bound}: kept` : `at most ${bound}: MISSED`;
}
