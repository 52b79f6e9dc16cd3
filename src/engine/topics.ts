import type { FactRead } from './types.ts';

/** Something that units have read, and which. Nearly all have one reader: that costs no Set. */
export class Topic<U extends object> implements FactRead {
  readonly what: FactRead['what'];
  readonly kind: string;
  readonly key: string;
  readers: U | Set<U> | undefined = undefined;
  /** The run that last read this; so a run counts each topic once. */
  readInRun = 0;

  constructor(what: FactRead['what'], kind: string, key: string) {
    this.what = what;
    this.kind = kind;
    this.key = key;
  }
}

/** All topics that have readers. */
export class Topics<U extends object> {
  readonly #topics: Readonly<Record<FactRead['what'], Map<string, Map<string, Topic<U>>>>> = {
    fact: new Map(),
    keys: new Map(),
    any: new Map(),
  };

  /** The topic, made where nobody has read it yet. It lasts until its last reader leaves. */
  topic(what: FactRead['what'], kind: string, key: string): Topic<U> {
    let ofKind = this.#topics[what].get(kind);
    if (!ofKind) {
      ofKind = new Map();
      this.#topics[what].set(kind, ofKind);
    }
    let topic = ofKind.get(key);
    if (!topic) {
      topic = new Topic(what, kind, key);
      ofKind.set(key, topic);
    }
    return topic;
  }

  addReader(topic: Topic<U>, reader: U): void {
    const { readers } = topic;
    if (readers === undefined) topic.readers = reader;
    else if (readers instanceof Set) readers.add(reader);
    else if (readers !== reader) topic.readers = new Set([readers, reader]);
  }

  removeReader(topic: Topic<U>, reader: U): void {
    const { readers } = topic;
    if (readers instanceof Set) {
      readers.delete(reader);
      const [last] = readers;
      if (readers.size === 1) topic.readers = last;
    } else if (readers === reader) {
      topic.readers = undefined;
      this.#topics[topic.what].get(topic.kind)?.delete(topic.key);
    }
  }

  /** Calls for each reader of a topic. */
  eachReader(what: FactRead['what'], kind: string, key: string, call: (reader: U) => void): void {
    const readers = this.#topics[what].get(kind)?.get(key)?.readers;
    if (readers === undefined) return;
    if (!(readers instanceof Set)) call(readers);
    else for (const reader of readers) call(reader);
  }
}
