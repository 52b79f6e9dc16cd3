/** So many texts are remembered at a time; what many objects share comes again soon after they are forgotten. */
const REMEMBERED = 20_000;

/** Makes equal texts one text: of what many objects have in common, one copy is kept. */
export class SharedTexts {
  #texts = new Map<string, string>();

  share(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= REMEMBERED) this.#texts = new Map();
    this.#texts.set(text, text);
    return text;
  }
}
