import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ApiError } from '../../src/cluster/api/types.ts';
import { Election } from '../../src/cluster/lease/index.ts';
import { TermFence } from '../../src/master/term-fence.ts';
import { fenced } from '../../src/ovsdb-state/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLeaseServer, type Weather } from '../support/fake-lease-api.ts';
import { SharedNorthbound } from '../support/shared-northbound.ts';

const CANDIDATES = 3;
const LEADER = CANDIDATES;
const STEP = 500;
const FAULTY_STEPS = 90;
/** A lease, a deadline and some pauses: in that time somebody must lead when nothing goes wrong any more. */
const CALM_STEPS = 60;

const kinds = ['unreachable', 'answers lost', 'slow', 'stopped', 'deaf', 'timeless'] as const;
type Kind = (typeof kinds)[number];

/** What befalls a candidate for a while, in steps. */
interface Fault {
  /** {@link LEADER}: whoever wrote last when it begins. */
  readonly candidate: number;
  readonly kind: Kind;
  readonly from: number;
  readonly length: number;
}

const faults: fc.Arbitrary<readonly Fault[]> = fc.array(
  fc.record({
    candidate: fc.constantFrom(0, 1, 2, LEADER, LEADER, LEADER),
    kind: fc.constantFrom(...kinds),
    from: fc.nat({ max: FAULTY_STEPS - 10 }),
    length: fc.integer({ min: 1, max: 60 }),
  }),
  { minLength: 3, maxLength: 8 },
);

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A master as far as leading goes. What it writes is nothing but an attempt. */
class Candidate implements Weather {
  readonly election: Election;
  readonly suffers = new Set<Kind>();
  readonly #session: ReturnType<SharedNorthbound['session']>;
  readonly #fence: TermFence;
  readonly #clock = new FakeClock();
  #missed = 0;
  #resume: (() => void)[] = [];

  constructor(identity: string, server: FakeLeaseServer, northbound: SharedNorthbound, random: () => number) {
    this.#session = northbound.session();
    this.election = new Election({
      ...{ api: server.client(this), namespace: 'n', name: 'l', identity, random, clock: this.#clock },
      log: silent,
    });
    this.#fence = new TermFence({
      ...{ leadership: this.election, database: this.#session, clock: this.#clock },
      ...{ installation: 'test', log: silent },
    });
    this.election.start();
  }

  async before(): Promise<void> {
    if (this.suffers.has('unreachable')) throw new ApiError('unreachable', { status: 0 });
    await this.#asSlowAsItIs();
  }

  async after(): Promise<void> {
    await this.#asSlowAsItIs();
    if (this.suffers.has('answers lost')) throw new ApiError('connection reset', { status: 0 });
  }

  /** Time passes for everybody but those whose clock stands, or who are stopped: these wake up to a later time. */
  pass(): void {
    this.#missed += STEP;
    if (this.suffers.has('stopped') || this.suffers.has('timeless')) return;
    this.#clock.advance(this.#missed);
    this.#missed = 0;
    if (!this.suffers.has('slow')) for (const resume of this.#resume.splice(0)) resume();
    if (!this.suffers.has('deaf')) this.#session.deliver();
  }

  /** Tries to write, whatever it knows. The term under which that was done, undefined where it was refused. */
  async write(): Promise<number | undefined> {
    if (this.suffers.has('stopped')) return undefined;
    const { term } = this.#fence;
    try {
      await fenced(this.#session, this.#fence).transact([{ op: 'comment', comment: 'a change' }]);
      return term;
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#fence.close();
    for (const resume of this.#resume.splice(0)) resume();
  }

  #asSlowAsItIs(): Promise<void> {
    if (!this.suffers.has('slow') && !this.suffers.has('stopped')) return Promise.resolve();
    return new Promise(resolve => this.#resume.push(resolve));
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve));
}

/** Several candidates, what befalls them, and what they got written. */
class Story {
  readonly #plan: readonly Fault[];
  readonly #candidates: readonly Candidate[];
  /** Whom each fault has struck. */
  readonly #victims = new Map<Fault, number>();
  /** Whose each term is that something was written under. */
  readonly #owners = new Map<number, number>();
  #highest = 0;
  #writer = 0;

  constructor(plan: readonly Fault[], random: () => number) {
    const server = new FakeLeaseServer();
    const northbound = new SharedNorthbound();
    this.#plan = plan;
    this.#candidates = Array.from(
      { length: CANDIDATES },
      (_, index) => new Candidate(`c${index}`, server, northbound, random),
    );
  }

  /** Some time passes, and then everybody tries to write. How many could. */
  async step(step: number): Promise<number> {
    for (const fault of this.#plan) {
      if (fault.from === step)
        this.#victims.set(fault, fault.candidate === LEADER ? this.#writer : fault.candidate);
    }
    for (const [index, candidate] of this.#candidates.entries()) {
      candidate.suffers.clear();
      for (const [{ kind, from, length }, victim] of this.#victims)
        if (victim === index && step < Math.min(from + length, FAULTY_STEPS)) candidate.suffers.add(kind);
      candidate.pass();
    }
    await settle();
    let writes = 0;
    for (const [index, candidate] of this.#candidates.entries()) {
      const term = await candidate.write();
      if (term === undefined) continue;
      this.#note(index, term);
      writes++;
    }
    return writes;
  }

  #note(writer: number, term: number): void {
    expect(term).toBeGreaterThanOrEqual(this.#highest);
    expect(this.#owners.get(term) ?? writer).toBe(writer);
    this.#highest = term;
    this.#owners.set(term, writer);
    this.#writer = writer;
  }

  /** How many of those who run believe to lead. */
  believers(): number {
    return this.#candidates.filter(
      ({ election, suffers }) => election.term !== undefined && !suffers.has('stopped'),
    ).length;
  }

  async end(): Promise<void> {
    for (const candidate of this.#candidates) candidate.close();
    await Promise.all(this.#candidates.map(({ election }) => election.release()));
  }
}

it('of many candidates one at most can write at a time, terms only grow, and after all faults one leads', async () => {
  await fc.assert(
    fc.asyncProperty(
      faults,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      async (plan, numbers) => {
        const story = new Story(plan, () => numbers.next().value ?? 0);
        // Only a clock that does not run makes two believe it; then it is the northbound that refuses one of them.
        const mostBelievers = plan.some(({ kind }) => kind === 'timeless') ? CANDIDATES : 1;
        let writes = 0;
        for (let step = 0; step < FAULTY_STEPS + CALM_STEPS; step++) {
          writes = await story.step(step);
          expect(writes).toBeLessThanOrEqual(1);
          expect(story.believers()).toBeLessThanOrEqual(mostBelievers);
        }
        expect(writes).toBe(1);
        await story.end();
      },
    ),
    { numRuns: 8 },
  );
}, 30_000);
