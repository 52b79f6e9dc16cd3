/**
 * So many texts are remembered at a time. Few: nearly all of an object's texts are its own, and are kept by this alone; what
 * many objects share comes again soon after it is forgotten.
 */
const REMEMBERED = 1_000;
/** Longer texts are not remembered, as what takes kilobytes is hardly ever in common and may be in every object. */
const LONGEST = 200;

/** Makes equal texts one text: of what many objects have in common, one copy is kept. */
export class SharedTexts {
  #texts = new Map<string, string>();

  /** How many texts are remembered now. */
  get size(): number {
    return this.#texts.size;
  }

  share(text: string): string {
    if (text.length > LONGEST) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= REMEMBERED) this.#texts = new Map();
    this.#texts.set(text, text);
    return text;
  }
}
